package io.lockstep.gpu.hip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.DriverException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KfdTopologyTest {
    @TempDir
    Path nodes = Path.of("");

    @BeforeEach
    void layOut() throws IOException {
        node("0", "cpu_cores_count 96\ngfx_target_version 0\nlocation_id 0\ndomain 0\n");
        node(
                "1",
                "simd_count 1216\ngfx_target_version 90402\nlocation_id 49408\ndomain 0\nunique_id 18446744073709551615\n");
        node("2", "gfx_target_version 90010\nlocation_id 49408\ndomain 2\n");
        node("3", "gfx_target_version 90402\nlocation_id 49667\ndomain 0\n");
    }

    private void node(String name, String properties) throws IOException {
        Files.writeString(Files.createDirectory(nodes.resolve(name)).resolve("properties"), properties);
    }

    @Test
    void aDeviceIsFoundByItsPlaceOnTheBus() {
        assertThat(KfdTopology.architecture(nodes, "0000:c1:00.0")).isEqualTo("gfx942");
        assertThat(KfdTopology.architecture(nodes, "0002:c1:00.0")).isEqualTo("gfx90a");
    }

    @Test
    void aPartitionOfADeviceIsFoundToo() {
        assertThat(KfdTopology.architecture(nodes, "0000:c2:00.3")).isEqualTo("gfx942");
    }

    @Test
    void aDeviceThatAContainerHasNotBeenGivenHidesNoOther() throws IOException {
        // The driver lets nobody read the properties of such a one; neither can a folder be read.
        Files.createDirectories(nodes.resolve("0a").resolve("properties"));
        assertThat(KfdTopology.architecture(nodes, "0000:c1:00.0")).isEqualTo("gfx942");
        assertThatThrownBy(() -> KfdTopology.architecture(nodes, "0000:05:00.0"))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("of 1 others the properties may not be read");
    }

    @Test
    void versionsAreNamedAsCompilersNameThem() {
        assertThat(KfdTopology.name(90500)).isEqualTo("gfx950");
        assertThat(KfdTopology.name(110000)).isEqualTo("gfx1100");
        assertThat(KfdTopology.name(120001)).isEqualTo("gfx1201");
        assertThat(KfdTopology.name(120500)).isEqualTo("gfx1250");
    }

    @Test
    void aPlaceWithoutADeviceIsSaid() {
        assertThatThrownBy(() -> KfdTopology.architecture(nodes, "0000:05:00.0"))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("0000:05:00.0");
        assertThatThrownBy(() -> KfdTopology.architecture(nodes, "nowhere")).isInstanceOf(DriverException.class);
        assertThatThrownBy(() -> KfdTopology.architecture(nodes.resolve("absent"), "0000:c1:00.0"))
                .isInstanceOf(DriverException.class);
    }
}
