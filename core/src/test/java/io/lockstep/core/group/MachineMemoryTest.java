package io.lockstep.core.group;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.DriverException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineMemoryTest {
    private static final long MIB = 1 << 20;

    @TempDir
    Path temporary;

    private MachineMemory machine = MachineMemory.ofThisMachine();

    @BeforeEach
    void setUp() throws Exception {
        machine = new MachineMemory(temporary.resolve("proc"));
        write("proc/meminfo", "MemTotal: 999999 kB\nMemAvailable:  102400 kB\n");
        write("proc/self/limits", "Limit Soft Limit\nMax file size             unlimited            unlimited bytes\n");
    }

    @Test
    void theMachineItselfLimits() {
        assertThatCode(() -> machine.require(100 * MIB, "It")).doesNotThrowAnyException();
        assertThatThrownBy(() -> machine.require(100 * MIB + 1, "It"))
                .isInstanceOf(DriverException.class)
                .hasMessage("It needs 100.0 MiB, and the machine leaves 100.0 MiB: free memory, or plan fewer tokens.");
    }

    @Test
    void aControlGroupOfTheSecondVersionLimitsByWhatItsAncestorsLeave() throws Exception {
        mount("cgroup2", "rw");
        write("proc/self/cgroup", "0::/outer/inner\n");
        write("group/outer/inner/memory.max", "max\n");
        write("group/outer/memory.max", 64 * MIB + "\n");
        write("group/outer/memory.current", 60 * MIB + "\n");
        write("group/outer/memory.stat", "anon 1\ninactive_file " + 6 * MIB + "\n");
        assertThatCode(() -> machine.require(10 * MIB, "It")).doesNotThrowAnyException();
        assertThatThrownBy(() -> machine.require(11 * MIB, "It"))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("It needs 11.0 MiB, and the memory limit of the control group (64.0 MiB) leaves"
                        + " 10.0 MiB: raise it (for a container: --memory)");
    }

    @Test
    void aControlGroupOfTheFirstVersionLimits() throws Exception {
        mount("cgroup", "rw,memory");
        write("proc/self/cgroup", "5:cpu:/\n4:memory:/job\n");
        write("group/job/memory.limit_in_bytes", 32 * MIB + "\n");
        write("group/job/memory.usage_in_bytes", 30 * MIB + "\n");
        assertThatThrownBy(() -> machine.require(3 * MIB, "It")).hasMessageContaining("leaves 2.0 MiB");
    }

    @Test
    void insideAContainerTheMountItselfIsTheGroup() throws Exception {
        mount("cgroup2", "rw");
        write("proc/self/cgroup", "0::/../../elsewhere\n");
        write("group/memory.max", 8 * MIB + "\n");
        write("group/memory.current", 1 * MIB + "\n");
        assertThatThrownBy(() -> machine.require(8 * MIB, "It")).hasMessageContaining("leaves 7.0 MiB");
    }

    @Test
    void theLimitOnTheSizeOfFilesIsToldBeforeItKills() throws Exception {
        assertThatCode(() -> machine.requireSize(1L << 50)).doesNotThrowAnyException();
        write("proc/self/limits", "Max file size             1048576              unlimited            bytes\n");
        assertThatCode(() -> machine.requireSize(MIB)).doesNotThrowAnyException();
        assertThatThrownBy(() -> machine.requireSize(MIB + 1))
                .isInstanceOf(DriverException.class)
                .hasMessageContaining("the limit on the size of files is 1.0 MiB: raise it (ulimit -f)");
    }

    private void mount(String type, String options) throws Exception {
        write(
                "proc/self/mountinfo",
                "22 1 0:20 / /other rw shared:3 - tmpfs tmpfs rw\n31 22 0:27 / " + temporary.resolve("group")
                        + " rw,nosuid shared:9 - " + type + " cgroup " + options + "\n");
    }

    private void write(String name, String text) throws Exception {
        Path file = temporary.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }
}
