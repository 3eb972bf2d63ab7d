package io.lockstep.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EnvironmentTest {
    private static final Map<String, String> OURS =
            Map.of("LOCKSTEP_RANK", "1", "LOCKSTEP_WORLD_SIZE", "4", "LOCKSTEP_GROUP", "night-run");

    @Test
    void ourOwnVariablesGiveTheGroup() {
        assertThat(Environment.parse(OURS)).isEqualTo(GroupSpec.of("night-run", 1, 4));
    }

    @Test
    void ourOwnVariablesComeBeforeThoseOfALauncher() {
        assertThat(Environment.parse(with(OURS, "RANK", "0", "WORLD_SIZE", "2")))
                .isEqualTo(Environment.parse(OURS));
    }

    @ParameterizedTest
    @CsvSource({"30, 30000", "1.5, 1500", "30s, 30000", "0.25s, 250", "500ms, 500", " 7 , 7000"})
    void timesAreSecondsOrCarryAUnit(String value, long milliseconds) {
        GroupSpec spec =
                Environment.parse(with(OURS, "LOCKSTEP_TIMEOUT", value, "LOCKSTEP_JOIN_TIMEOUT", "2" + value.strip()));
        assertThat(spec.callTimeout()).isEqualTo(Duration.ofMillis(milliseconds));
        assertThat(spec.joinTimeout()).isGreaterThan(spec.callTimeout());
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-1", "soon", "1m", "1e9", "ms", "0ms", "99999999999999999999"})
    void aTimeThatIsNoneIsRefused(String value) {
        assertThatThrownBy(() -> Environment.parse(with(OURS, "LOCKSTEP_JOIN_TIMEOUT", value)))
                .isInstanceOf(UsageException.class)
                .hasMessageStartingWith("LOCKSTEP_JOIN_TIMEOUT is '" + value + "': expected a time above 0");
    }

    @Test
    void threadsAndBackendAreRead() {
        GroupSpec spec = Environment.parse(with(OURS, "LOCKSTEP_THREADS", "3", "LOCKSTEP_BACKEND", "other"));
        assertThat(spec.threads()).isEqualTo(3);
        assertThat(spec.backend()).isEqualTo("other");
    }

    @Test
    void torchrunGivesTheGroupByItsRunAndPort() {
        Map<String, String> torchrun = Map.of(
                "RANK", "1",
                "WORLD_SIZE", "2",
                "LOCAL_RANK", "1",
                "LOCAL_WORLD_SIZE", "2",
                "TORCHELASTIC_RUN_ID", "none",
                "MASTER_PORT", "29500");
        assertThat(Environment.parse(torchrun)).isEqualTo(GroupSpec.of("job-none.29500", 1, 2));
        assertThatThrownBy(() -> Environment.parse(with(torchrun, "LOCAL_WORLD_SIZE", "1")))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("torchrun started 2 ranks (WORLD_SIZE), of which 1 run on this machine"
                        + " (LOCAL_WORLD_SIZE): expected all on one");
    }

    @Test
    void openMpiGivesTheGroupByItsJob() {
        Map<String, String> mpi = Map.of("OMPI_COMM_WORLD_RANK", "0", "OMPI_COMM_WORLD_SIZE", "3");
        assertThat(Environment.parse(with(mpi, "PMIX_NAMESPACE", "prterun-node@1")))
                .isEqualTo(GroupSpec.of("job-prterun-node_1", 0, 3));
        assertThat(Environment.parse(with(mpi, "OMPI_MCA_ess_base_jobid", "4711")))
                .isEqualTo(GroupSpec.of("job-4711", 0, 3));
        assertThatThrownBy(() -> Environment.parse(mpi))
                .isInstanceOf(UsageException.class)
                .hasMessage("OMPI_MCA_ess_base_jobid is not set: expected the name of the group, since Open MPI seems"
                        + " to have started this process (found OMPI_COMM_WORLD_RANK=0, OMPI_COMM_WORLD_SIZE=3).");
    }

    @Test
    void slurmGivesTheGroupByItsJobAndStep() {
        Map<String, String> slurm =
                Map.of("SLURM_PROCID", "1", "SLURM_NTASKS", "2", "SLURM_JOB_ID", "77", "SLURM_STEP_ID", "0");
        assertThat(Environment.parse(slurm)).isEqualTo(GroupSpec.of("job-77.0", 1, 2));
        assertThatThrownBy(() -> Environment.parse(with(slurm, "SLURM_STEP_NUM_NODES", "2")))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("2 machines");
        // A batch script without srun is no rank.
        assertThatThrownBy(() -> Environment.parse(Map.of("SLURM_NTASKS", "2", "SLURM_JOB_ID", "77")))
                .hasMessageStartingWith("No launcher left its variables");
    }

    @Test
    void aLongNameOfAJobIsCutAndStaysItsOwn() {
        Map<String, String> mpi = Map.of("OMPI_COMM_WORLD_RANK", "0", "OMPI_COMM_WORLD_SIZE", "3");
        String one = Environment.parse(with(mpi, "PMIX_NAMESPACE", "x".repeat(99) + 1))
                .group();
        String other = Environment.parse(with(mpi, "PMIX_NAMESPACE", "x".repeat(99) + 2))
                .group();
        assertThat(one).hasSize(64).isNotEqualTo(other);
    }

    @ParameterizedTest
    @ValueSource(strings = {"LOCKSTEP_RANK", "LOCKSTEP_WORLD_SIZE", "LOCKSTEP_GROUP"})
    void aHalfSetEnvironmentNamesTheVariableThatIsMissing(String name) {
        assertThatThrownBy(() -> Environment.parse(with(OURS, name, "")))
                .isInstanceOf(UsageException.class)
                .hasMessageStartingWith(name + " is not set: expected ")
                .hasMessageContaining("found LOCKSTEP_");
    }

    @ParameterizedTest
    @CsvSource({"LOCKSTEP_RANK, one", "LOCKSTEP_WORLD_SIZE, 2.0", "LOCKSTEP_THREADS, -1"})
    void aNumberThatIsNoneIsRefused(String name, String value) {
        assertThatThrownBy(() -> Environment.parse(with(OURS, name, value)))
                .isInstanceOf(UsageException.class)
                .hasMessage(name + " is '" + value + "': expected a number, 0 or more.");
    }

    @Test
    void anEmptyEnvironmentSaysWhatToDo() {
        assertThatThrownBy(() -> Environment.parse(Map.of()))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("LOCKSTEP_RANK, LOCKSTEP_WORLD_SIZE and LOCKSTEP_GROUP");
    }

    private static Map<String, String> with(Map<String, String> variables, String... more) {
        Map<String, String> all = new HashMap<>(variables);
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }
}
