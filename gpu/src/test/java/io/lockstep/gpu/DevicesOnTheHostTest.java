package io.lockstep.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.util.Map;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What {@link GpuSelfTest} checks on GPUs, on devices that are threads of this machine: everything above the driver as
 * it is, and the kernels themselves.
 */
@Isolated("Calls have deadlines of the machine's clock, and compilers would take its cores.")
class DevicesOnTheHostTest {
    @ParameterizedTest
    @CsvSource({"2, bf16, '3x33,7x64'", "3, fp32, '5x20'"})
    void ranksPlanRunAndFailAsOnGpus(String ranks, String dtypes, String shapes) {
        assumeThat(Tools.find("g++"))
                .as("g++, which compiles the kernels for the host")
                .isPresent();
        GpuSelfTest test = GpuSelfTest.of(Map.of(
                "--backend",
                "host",
                "--tp",
                ranks,
                "--dtypes",
                dtypes,
                "--shapes",
                shapes,
                "--iterations",
                "1",
                "--calls",
                "6x32"));

        test.run();

        assertThat(test.wrong()).isEmpty();
        assertThat(test.right()).isGreaterThan(30);
    }
}
