package io.lockstep.gpu.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.Algorithm;
import io.lockstep.core.DType;
import io.lockstep.core.Operation;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelOptions;
import java.util.EnumSet;
import org.junit.jupiter.api.Test;

class GeometryTest {
    private static final Operation OPERATION = Operation.allReduceResidualRmsNorm(DType.BF16, 2880, 2048);

    private static RegionLayout layout(Operation operation, int ranks, Exchange first, Exchange... rest) {
        return RegionLayout.of(operation, KernelOptions.of(operation, ranks), EnumSet.of(first, rest));
    }

    @Test
    void aCallHasABlockForEachRowOrGroupOfRowsUpToWhatFits() {
        assertThat(Geometry.carriers(Exchange.ONE_SHOT_PUSH, 7, 4, 131)).isEqualTo(7);
        assertThat(Geometry.carriers(Exchange.TWO_SHOT_PUSH, 7, 4, 131)).isEqualTo(2);
        assertThat(Geometry.carriers(Exchange.TWO_SHOT_PULL, 8, 4, 131)).isEqualTo(2);
        assertThat(Geometry.carriers(Exchange.ONE_SHOT_PULL, 131 * 9, 4, 131)).isEqualTo(131);
    }

    @Test
    void aCallOfMoreRowsHasSoManyBlocksThatEachTakesAsManyAsTheOthers() {
        assertThat(Geometry.carriers(Exchange.ONE_SHOT_PUSH, 512, 2, 240)).isEqualTo(171);
        assertThat(Geometry.carriers(Exchange.TWO_SHOT_PUSH, 1319, 2, 240)).isEqualTo(220);
        assertThat(Geometry.carriers(Exchange.ONE_SHOT_PULL, 2048, 4, 131)).isEqualTo(128);
    }

    @Test
    void aBlockReArmsBesideEachThatCarriesRowsAsLongAsThoseAreFew() {
        assertThat(Geometry.spares(1)).isEqualTo(1);
        assertThat(Geometry.spares(16)).isEqualTo(16);
        assertThat(Geometry.spares(240)).isEqualTo(24);
    }

    @Test
    void allBlocksOfADeviceAreThereAtOnce() {
        assertThat(Geometry.mostCarriers(1, 132, 1)).isEqualTo(132 - 24);
        assertThat(Geometry.mostCarriers(2, 132, 1)).isEqualTo(264 - 24);
        assertThat(Geometry.mostCarriers(16, 132, 1)).isEqualTo(1000);
    }

    @Test
    void ranksThatShareADeviceFitOnItTogetherWithTheKernelsThatWaitBehind() {
        for (int sharers = 2; sharers <= 8; sharers++) {
            int most = Geometry.mostCarriers(2, 132, sharers);
            assertThat(most).isPositive();
            for (int carriers = 1; carriers <= most; carriers++) {
                assertThat(2 * sharers * (carriers + Geometry.spares(carriers))).isLessThanOrEqualTo(2 * 132);
            }
        }
    }

    @Test
    void memoryHoldsWhatTheExchangesNeedAndNoMore() {
        long row = 5760;
        RegionLayout push = layout(OPERATION.withAlgorithm(Algorithm.TWO_SHOT), 4, Exchange.TWO_SHOT_PUSH);
        assertThat(push.capacity()).isEqualTo(512);
        assertThat(push.sums()).isEqualTo(RegionLayout.AT_ROWS + 4 * 4 * 512 * row);
        assertThat(push.bytes()).isEqualTo(push.sums() + 4 * 2048 * row);

        RegionLayout pull = layout(OPERATION, 4, Exchange.ONE_SHOT_PULL);
        assertThat(pull.wordBytes()).isZero();
        assertThat(pull.bytes()).isEqualTo(RegionLayout.AT_ROWS + 2048 * row);

        RegionLayout twoShotPull = layout(OPERATION, 4, Exchange.TWO_SHOT_PULL);
        assertThat(twoShotPull.bytes()).isEqualTo(RegionLayout.AT_ROWS + 2 * 2048 * row);
    }

    @Test
    void whereTheChoiceIsFreeOneShotHasRoomForFourMebibytesAndForSixteenOfTwoRanks() {
        RegionLayout auto = layout(OPERATION, 4, Exchange.ONE_SHOT_PUSH, Exchange.TWO_SHOT_PUSH);
        assertThat(auto.oneShotMost()).isEqualTo(728);
        assertThat(auto.capacity()).isEqualTo(728);

        RegionLayout ofTwo = layout(OPERATION, 2, Exchange.ONE_SHOT_PUSH, Exchange.TWO_SHOT_PUSH);
        assertThat(ofTwo.oneShotMost()).isEqualTo(2048);

        RegionLayout alone = layout(OPERATION.withAlgorithm(Algorithm.ONE_SHOT), 4, Exchange.ONE_SHOT_PUSH);
        assertThat(alone.oneShotMost()).isEqualTo(2048);
        assertThat(alone.capacity()).isEqualTo(2048);
    }

    @Test
    void whatTheKernelsCannotCountIsRefusedBeforeAnythingIsAllocated() {
        Operation wide = Operation.allReduce(DType.FP32, 16384, 131071).withAlgorithm(Algorithm.ONE_SHOT);
        assertThat(layout(wide, 2, Exchange.TWO_SHOT_PUSH).bytes()).isPositive();
        assertThatThrownBy(() -> layout(wide, 8, Exchange.ONE_SHOT_PUSH))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("131071 tokens of 16384 fp32 on 8 ranks")
                .hasMessageContaining("Plan fewer tokens a call.");
        Operation many = Operation.allReduce(DType.BF16, 1, 1 << 29).withAlgorithm(Algorithm.ONE_SHOT);
        assertThatThrownBy(() -> layout(many, 2, Exchange.ONE_SHOT_PULL)).isInstanceOf(UsageException.class);
    }
}
