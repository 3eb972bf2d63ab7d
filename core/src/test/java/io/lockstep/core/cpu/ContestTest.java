package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.Test;

class ContestTest {
    private static final int MOST = 64;
    private static final double FIRST = 10;
    private static final double SECOND = 5;

    /** Makes calls that take as long as is said of a way and a call's number; how many of the last went the second. */
    private static int secondsOfTheLast(int last, int calls, Contest contest, DoubleBinaryOperator time) {
        int seconds = 0;
        for (int call = 0; call < calls; call++) {
            boolean second = contest.second();
            contest.end(contest.counts() ? time.applyAsDouble(second ? 1 : 0, call) : Double.POSITIVE_INFINITY);
            seconds += second && call >= calls - last ? 1 : 0;
        }
        return seconds;
    }

    @Test
    void theFirstWayLeadsUntilTheSecondIsSeenToBeFaster() {
        Contest contest = new Contest(MOST);

        assertThat(secondsOfTheLast(16, Contest.FIRST, contest, (way, call) -> way == 0 ? FIRST : SECOND))
                .isZero();
        assertThat(secondsOfTheLast(Contest.TRIAL, Contest.TRIAL, contest, (way, call) -> way == 0 ? FIRST : SECOND))
                .as("the trial")
                .isEqualTo(Contest.TRIAL / 2);
        assertThat(secondsOfTheLast(
                        2 * Contest.FIRST, 2 * Contest.FIRST, contest, (way, call) -> way == 0 ? FIRST : SECOND))
                .as("afterwards")
                .isEqualTo(2 * Contest.FIRST);
    }

    @Test
    void itStaysWhereTheOtherWayIsSlowerOrAsFast() {
        for (double second : new double[] {2 * FIRST, FIRST, 0.97 * FIRST}) {
            Contest contest = new Contest(MOST);
            int calls = Contest.FIRST + Contest.TRIAL + 2 * Contest.FIRST;
            assertThat(secondsOfTheLast(2 * Contest.FIRST, calls, contest, (way, call) -> way == 0 ? FIRST : second))
                    .as("%s for %s", second, FIRST)
                    .isZero();
        }
    }

    /** Cores move: what won before loses then. */
    @Test
    void itChangesItsMindBothWays() {
        Contest contest = new Contest(MOST);
        int round = MOST + Contest.TRIAL;
        secondsOfTheLast(1, 2000, contest, (way, call) -> way == 0 ? FIRST : SECOND);
        assertThat(secondsOfTheLast(round, round, contest, (way, call) -> way == 0 ? FIRST : SECOND))
                .as("while it leads")
                .isEqualTo(round - Contest.TRIAL / 2);

        secondsOfTheLast(1, 2 * round, contest, (way, call) -> way == 0 ? SECOND : FIRST);
        assertThat(secondsOfTheLast(round, round, contest, (way, call) -> way == 0 ? SECOND : FIRST))
                .as("when it has lost")
                .isEqualTo(Contest.TRIAL / 2);
    }

    /** As when another program takes the processor, or when a call was short by luck. */
    @Test
    void aFewCallsThatTakeLongAndOneThatIsShortDecideNothing() {
        Contest contest = new Contest(MOST);
        int calls = Contest.FIRST + Contest.TRIAL;
        secondsOfTheLast(1, calls, contest, (way, call) -> switch ((int) call % Contest.COUNTED) {
            case 0 -> way == 0 ? 1 : SECOND;
            case 1, 2, 3, 4 -> way == 0 ? FIRST : 1000;
            default -> way == 0 ? FIRST : SECOND;
        });
        assertThat(secondsOfTheLast(8, 8, contest, (way, call) -> FIRST)).isEqualTo(8);
    }

    /** The slots still hold what the way before left in them. */
    @Test
    void theFirstCallsOfAWayDoNotCount() {
        Contest contest = new Contest(MOST);
        StringBuilder trial = new StringBuilder();
        for (int call = 0; call < Contest.FIRST + Contest.TRIAL; call++) {
            boolean second = contest.second();
            if (call < Contest.FIRST) {
                assertThat(contest.counts()).isFalse();
            } else {
                trial.append(contest.counts() ? second ? "S" : "F" : second ? "s" : "f");
            }
            contest.end(1);
        }
        assertThat(trial).hasToString("ffffFFFFFFFFssssSSSSSSSS");
    }

    /** Ranks that saw different times go different ways, and still try the same way in the same call. */
    @Test
    void ranksThatDecidedOtherwiseTryTheSameWayInTheSameCall() {
        Contest one = new Contest(MOST);
        Contest other = new Contest(MOST);
        boolean apart = false;
        for (int call = 0; call < 5 * MOST; call++) {
            boolean second = one.second();
            boolean otherSecond = other.second();
            assertThat(one.counts()).isEqualTo(other.counts());
            if (one.counts()) {
                assertThat(second).as("call %s", call).isEqualTo(otherSecond);
            }
            apart |= second != otherSecond;
            one.end(second ? SECOND : FIRST);
            other.end(otherSecond ? FIRST : SECOND);
        }
        assertThat(apart).isTrue();
    }

    /** Of calls whose input lies in shared memory already nothing can be learned. */
    @Test
    void callsThatTellNothingChangeNothing() {
        Contest contest = new Contest(MOST);
        int round = MOST + Contest.TRIAL;
        secondsOfTheLast(1, 2000, contest, (way, call) -> way == 0 ? FIRST : SECOND);
        assertThat(secondsOfTheLast(round, 5 * round, contest, (way, call) -> Double.POSITIVE_INFINITY))
                .isEqualTo(round - Contest.TRIAL / 2);
    }
}
