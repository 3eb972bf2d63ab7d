package io.lockstep.core.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Buffer;
import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.HostBuffer;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.UsageException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Wrong arguments are refused by name before anything starts, and the next call is as good as ever. */
class RefusalsTest {
    private static final int HIDDEN = 64;
    private static final int TOKENS = 4;
    private static final List<String> ROLES = List.of("input", "residual", "weight", "reduced", "residualOut", "out");

    interface Body {
        void run(Communicator communicator, Plan plan, Arena arena) throws Exception;
    }

    /** Rank 0 does what is refused; then both ranks make a right call. */
    private static void refused(Parts parts, Body body) {
        Ranks.run(Ranks.spec(2), communicator -> {
            Operation operation = parts.of(DType.BF16, HIDDEN, TOKENS);
            try (Arena arena = Arena.ofShared();
                    Plan plan = communicator.plan(operation.withAlgorithm(Algorithm.TWO_SHOT))) {
                if (communicator.rank() == 0) {
                    body.run(communicator, plan, arena);
                }
                new OneCall(plan, 2, communicator.rank(), TOKENS, 3, Layer.Mix.ORDINARY)
                        .run("after the refusal", Place.NATIVE, Place.NATIVE, false);
            }
        });
    }

    private static void assertRefused(Plan plan, int tokens, Tensors tensors, String... parts) {
        assertThatThrownBy(() -> plan.run(tokens, tensors))
                .isInstanceOf(UsageException.class)
                .hasMessageContainingAll(parts);
    }

    private static MemorySegment[] apart(Arena arena) {
        MemorySegment[] segments = new MemorySegment[ROLES.size()];
        for (int i = 0; i < segments.length; i++) {
            segments[i] = arena.allocate(HIDDEN * TOKENS * 2, 64);
        }
        return segments;
    }

    private static Tensors tensors(@Nullable MemorySegment[] segments) {
        return new Tensors(
                buffer(segments[0]),
                buffer(segments[1]),
                buffer(segments[2]),
                buffer(segments[3]),
                buffer(segments[4]),
                buffer(segments[5]));
    }

    private static @Nullable Buffer buffer(@Nullable MemorySegment segment) {
        return segment == null ? null : new HostBuffer(segment);
    }

    static Stream<Arguments> everyPairOfRolesOneOfWhichIsWritten() {
        List<Arguments> all = new ArrayList<>();
        for (int written = 3; written < ROLES.size(); written++) {
            for (int other = 0; other < written; other++) {
                for (boolean heap : new boolean[] {false, true}) {
                    all.add(Arguments.of(ROLES.get(written), ROLES.get(other), heap));
                }
            }
        }
        return all.stream();
    }

    @ParameterizedTest(name = "{0} and {1}, on the heap: {2}")
    @MethodSource("everyPairOfRolesOneOfWhichIsWritten")
    void anOverlapIsRefusedUnlessItIsExactAndAllowed(String written, String other, boolean heap) {
        int w = ROLES.indexOf(written);
        int o = ROLES.indexOf(other);
        boolean allowedWhenExact = written.equals("out") && other.equals("input")
                || written.equals("residualOut") && other.equals("residual");
        refused(Parts.ALL, (communicator, plan, arena) -> {
            long bytes = HIDDEN * TOKENS * 2;
            for (long shift : new long[] {-bytes + 2, -2, 0, 2, HIDDEN * 2 - 2, bytes - 2}) {
                MemorySegment[] segments = apart(arena);
                MemorySegment both =
                        heap ? MemorySegment.ofArray(new short[3 * HIDDEN * TOKENS]) : arena.allocate(3 * bytes, 64);
                segments[w] = both.asSlice(bytes + shift, bytes);
                segments[o] = both.asSlice(bytes, bytes);
                boolean weightEnds = other.equals("weight") && shift >= HIDDEN * 2;
                if (shift == 0 && allowedWhenExact || weightEnds) {
                    continue;
                }
                assertRefused(plan, TOKENS, tensors(segments), written, other, "overlap");
            }
        });
    }

    @Test
    void theSameArrayWritableAndReadOnlyIsTheSameMemory() {
        Ranks.run(Ranks.spec(2), communicator -> {
            try (Arena arena = Arena.ofShared();
                    Plan plan = communicator.plan(
                            Parts.NO_NORM.of(DType.BF16, HIDDEN, TOKENS).withAlgorithm(Algorithm.ONE_SHOT))) {
                Layer layer = new Layer(plan.operation(), 2, TOKENS, 5, Layer.Mix.ORDINARY);
                MemorySegment residual = MemorySegment.ofArray(new short[HIDDEN * TOKENS]);
                layer.fillResidual(residual);
                plan.run(
                        TOKENS,
                        Tensors.of(layer.input(arena, communicator.rank()))
                                .withResidual(residual.asReadOnly())
                                .withResidualOut(residual));
                layer.check("residual read-only", null, residual, null);
            }
        });
    }

    @Test
    void lentMemoryIsNotWrittenByACall() {
        for (int role = 3; role < ROLES.size(); role++) {
            int written = role;
            refused(Parts.ALL, (communicator, plan, arena) -> {
                MemorySegment[] segments = apart(arena);
                segments[written] = plan.input().segment();
                assertRefused(plan, TOKENS, tensors(segments), ROLES.get(written), "input buffer of the plan");
            });
        }
    }

    @Test
    void aTensorThatTheOperationNeedsIsMissing() {
        refused(Parts.ALL, (communicator, plan, arena) -> {
            for (int missing : new int[] {1, 2, 4, 5}) {
                @Nullable MemorySegment[] segments = apart(arena);
                segments[missing] = null;
                assertRefused(plan, TOKENS, tensors(segments), ROLES.get(missing), "missing");
            }
        });
        refused(
                Parts.SUM_ALONE,
                (communicator, plan, arena) ->
                        assertRefused(plan, TOKENS, Tensors.of(apart(arena)[0]), "reduced", "missing"));
    }

    @Test
    void aTensorIsGivenForAPartThatIsLeftOut() {
        refused(Parts.NO_RESIDUAL, (communicator, plan, arena) -> {
            for (int surplus : new int[] {1, 4}) {
                @Nullable MemorySegment[] segments = apart(arena);
                segments[5 - surplus] = null;
                assertRefused(plan, TOKENS, tensors(segments), ROLES.get(surplus), "is given");
            }
        });
        refused(Parts.NO_NORM, (communicator, plan, arena) -> {
            @Nullable MemorySegment[] segments = apart(arena);
            segments[2] = null;
            assertRefused(plan, TOKENS, tensors(segments), "out", "is given");
        });
    }

    @Test
    void memoryThatCannotBeUsedIsRefused() {
        refused(Parts.ALL, (communicator, plan, arena) -> {
            for (int role = 0; role < ROLES.size(); role++) {
                String name = ROLES.get(role) + ":";
                MemorySegment[] segments = apart(arena);
                long needed = role == 2 ? HIDDEN * 2 : HIDDEN * TOKENS * 2;
                segments[role] = arena.allocate(needed - 1, 64);
                assertRefused(plan, TOKENS, tensors(segments), name, (needed - 1) + " bytes", needed + ".");

                Arena ended = Arena.ofShared();
                segments[role] = ended.allocate(needed, 64);
                ended.close();
                assertRefused(plan, TOKENS, tensors(segments), name, "closed");

                segments[role] = confinedToAnotherThread(needed);
                assertRefused(plan, TOKENS, tensors(segments), name, "another thread");

                if (role >= 3) {
                    segments[role] = arena.allocate(needed, 64).asReadOnly();
                    assertRefused(plan, TOKENS, tensors(segments), name, "read-only");
                    segments[role] =
                            MemorySegment.ofArray(new byte[(int) needed]).asReadOnly();
                    assertRefused(plan, TOKENS, tensors(segments), name, "read-only");
                }
            }
        });
    }

    private static MemorySegment confinedToAnotherThread(long bytes) throws Exception {
        try (ExecutorService other = Executors.newSingleThreadExecutor()) {
            // Never closed, as a leak of a few bytes is simpler than a thread that waits.
            return other.submit(() -> Arena.ofConfined().allocate(bytes, 64)).get();
        }
    }

    @Test
    void anArenaClosedSinceTheLastCallIsSeen() {
        Ranks.run(Ranks.spec(2), communicator -> {
            Operation operation = Parts.ALL.of(DType.BF16, HIDDEN, TOKENS).withAlgorithm(Algorithm.ONE_SHOT);
            try (Plan plan = communicator.plan(operation)) {
                Arena arena = Arena.ofShared();
                Tensors tensors =
                        new Layer(operation, 2, TOKENS, 1, Layer.Mix.ORDINARY).tensors(arena, communicator.rank());
                plan.run(TOKENS, tensors);
                plan.run(TOKENS, tensors);
                arena.close();
                assertRefused(plan, TOKENS, tensors, "closed");
            }
        });
    }

    @Test
    void tokensOutsideThePlanAreRefused() {
        refused(Parts.ALL, (communicator, plan, arena) -> {
            Tensors tensors = tensors(apart(arena));
            for (int tokens : new int[] {Integer.MIN_VALUE, -1, 0, TOKENS + 1, Integer.MAX_VALUE}) {
                assertRefused(plan, tokens, tensors, "tokens is " + tokens, "1 to " + TOKENS);
            }
        });
    }

    @Test
    void aCallWithoutInputNeedsTheLentOneFilled() {
        refused(Parts.ALL, (communicator, plan, arena) -> {
            @Nullable MemorySegment[] segments = apart(arena);
            segments[0] = null;
            assertRefused(plan, TOKENS, tensors(segments), "input()");
        });
    }

    @Test
    void theLentBufferIsTheSameUntilTheCallAndAnotherAfterIt() {
        Ranks.run(Ranks.spec(2), communicator -> {
            Operation operation = Parts.ALL.of(DType.FP32, HIDDEN, TOKENS).withAlgorithm(Algorithm.ONE_SHOT);
            try (Plan plan = communicator.plan(operation)) {
                List<Long> addresses = new ArrayList<>();
                for (int call = 0; call < 4; call++) {
                    MemorySegment input = plan.input().segment();
                    assertThat(input.byteSize()).isEqualTo(TOKENS * operation.rowBytes());
                    assertThat(plan.input().segment().address()).isEqualTo(input.address());
                    addresses.add(input.address());
                    new OneCall(plan, 2, communicator.rank(), TOKENS, call, Layer.Mix.ORDINARY)
                            .run("call " + call, null, Place.NATIVE, false);
                }
                assertThat(addresses.get(1)).isNotEqualTo(addresses.get(0));
                assertThat(addresses.subList(2, 4)).isEqualTo(addresses.subList(0, 2));
            }
        });
    }
}
