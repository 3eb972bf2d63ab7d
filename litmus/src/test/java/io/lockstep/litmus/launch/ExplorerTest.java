package io.lockstep.litmus.launch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ExplorerTest {
    @ParameterizedTest
    @EnumSource(Discipline.class)
    void everyDisciplineHangsAndMixesAsIsKnown(Discipline discipline) {
        Explorer.Outcome outcome = Explorer.explore(discipline);

        assertThat(outcome.asExpected()).as("%s", outcome).isTrue();
        assertThat(outcome.hang().isEmpty()).isEqualTo(!discipline.hangs());
        assertThat(outcome.mixUp().isEmpty()).isEqualTo(!discipline.mixes());
    }
}
