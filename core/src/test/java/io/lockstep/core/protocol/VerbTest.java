package io.lockstep.core.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.protocol.Verb.Kind;
import org.junit.jupiter.api.Test;

class VerbTest {
    @Test
    void aCallOfTwoChunksStagesTheSecondBeforeItProcessesTheFirst() {
        assertThat(Verb.of(Protocols.cpuOneShot(), 6, 7))
                .containsExactly(
                        new Verb(Kind.WRITE, "staging", 2, 6),
                        new Verb(Kind.PUBLISH, "ready", 2, 6),
                        new Verb(Kind.WRITE, "staging", 3, 7),
                        new Verb(Kind.PUBLISH, "ready", 3, 7),
                        new Verb(Kind.AWAIT, "ready", 2, 6),
                        new Verb(Kind.READ, "staging", 2, 6),
                        new Verb(Kind.AWAIT, "ready", 3, 7),
                        new Verb(Kind.READ, "staging", 3, 7));
    }

    @Test
    void aCallOfOneChunkOfTwoShotReducesAndShares() {
        assertThat(Verb.of(Protocols.cpuTwoShot(), 1, 1))
                .containsExactly(
                        new Verb(Kind.WRITE, "staging", 1, 1),
                        new Verb(Kind.PUBLISH, "ready", 1, 1),
                        new Verb(Kind.AWAIT, "ready", 1, 1),
                        new Verb(Kind.READ, "staging", 1, 1),
                        new Verb(Kind.WRITE, "reduced", 1, 1),
                        new Verb(Kind.PUBLISH, "shared", 1, 1),
                        new Verb(Kind.AWAIT, "shared", 1, 1),
                        new Verb(Kind.READ, "reduced", 1, 1));
    }

    @Test
    void whatIsNotOfTheVocabularyIsRefused() {
        assertThatThrownBy(() -> Verb.of(Protocols.twoShotPull(), 1, 1)).hasMessageContaining("two-shot-pull");
    }
}
