package io.lockstep.litmus.kodkod;

import static org.assertj.core.api.Assertions.assertThat;

import io.lockstep.core.protocol.Model;
import io.lockstep.litmus.model.MemoryModel;
import io.lockstep.litmus.model.Program;
import io.lockstep.litmus.model.Search;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The checker and the solver give the same answer on every program. */
class EnginesAgreeTest {
    private static final MemoryModel PTX = MemoryModel.of(Model.PTX);

    @Test
    void onAFewHundredRandomPrograms() {
        agree(1, 400);
    }

    @Test
    @Tag("slow")
    void onManyThousandRandomPrograms() {
        agree(1_000_000, 20_000);
    }

    private static void agree(long firstSeed, int count) {
        int reachable = 0;
        for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            Program program = RandomPrograms.next(new SplittableRandom(seed));
            boolean checker = Search.exists(PTX, program, execution -> true);
            boolean solver = new PtxInKodkod(program).consistent();
            assertThat(checker).as("seed %d: %s", seed, program.events()).isEqualTo(solver);
            reachable += checker ? 1 : 0;
        }
        // Both answers must occur often, or the agreement says little.
        assertThat(reachable).isBetween(count / 10, count * 9 / 10);
    }
}
