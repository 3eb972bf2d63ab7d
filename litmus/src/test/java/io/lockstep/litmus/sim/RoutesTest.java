package io.lockstep.litmus.sim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RoutesTest {
    @ParameterizedTest
    @EnumSource
    void everyPlaceIsWrittenByItsWriterAndReadByItsReaderOnce(Routes.Kind kind) {
        for (int devices = 2; devices <= 8; devices++) {
            for (int tokens : new int[] {1, 5, 13}) {
                Routes routes = new Routes(kind, devices, tokens, 3);
                Set<Integer> written = new HashSet<>();
                Set<Integer> read = new HashSet<>();
                for (int device = 0; device < devices; device++) {
                    for (int i = 0; i < routes.writes(device); i++) {
                        int place = routes.written(device, i);
                        assertThat(routes.writer(place)).isEqualTo(device);
                        assertThat(written.add(place)).isTrue();
                    }
                    for (int i = 0; i < routes.reads(device); i++) {
                        int place = routes.read(device, i);
                        assertThat(routes.reader(place)).isEqualTo(device);
                        assertThat(read.add(place)).isTrue();
                    }
                }
                assertThat(written).hasSize(routes.places()).isEqualTo(read);
            }
        }
    }
}
