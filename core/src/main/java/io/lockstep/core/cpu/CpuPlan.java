package io.lockstep.core.cpu;

import io.lockstep.core.Algorithm;
import io.lockstep.core.HostBuffer;
import io.lockstep.core.Operation;
import io.lockstep.core.Plan;
import io.lockstep.core.Tensors;
import io.lockstep.core.UsageException;
import io.lockstep.core.planning.Choice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** A plan on CPU ranks: its memory, its lanes, and the state that turns with its calls. */
final class CpuPlan implements Plan {
    /** A lane of its own is worth waking for this many bytes. */
    private static final long LANE_BYTES = 64 * 1024;

    private final CpuCommunicator communicator;
    private final int id;
    private final Operation operation;
    private final PlanLayout layout;
    private final long offset;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final Operands operands;
    private final Call call = new Call();
    private final Lane[] lanes;
    private final Team team;
    private final long symmetricAddress;
    private HostBuffer @Nullable [] lent;
    private @Nullable HostBuffer symmetric;
    private boolean filling;
    private boolean closed;

    /** What is taken where the choice is free. */
    private Choice choice = Choice.ONE_SHOT;

    CpuPlan(
            CpuCommunicator communicator,
            int id,
            Operation operation,
            PlanLayout layout,
            long offset,
            LaneMaker maker) {
        this.communicator = communicator;
        this.id = id;
        this.operation = operation;
        this.layout = layout;
        this.offset = offset;
        memory = communicator.memory().map(offset, layout.bytes(), arena);
        operands = new Operands(operation);
        operands.sharedInputs(inputsOf(communicator.rank()), inputsOf(communicator.rank() + 1));
        symmetricAddress = memory.address() + layout.symmetric(communicator.rank());
        Setup setup = new Setup(
                communicator.rank(),
                operation,
                layout,
                memory,
                operands,
                call,
                communicator.words(),
                communicator.vectorBits(),
                communicator.machine().crowded());
        lanes = new Lane[layout.lanes()];
        for (int lane = 0; lane < lanes.length; lane++) {
            lanes[lane] = maker.make(setup, lane, communicator.waiter(memory), arena);
        }
        team = new Team(lanes.length, "lockstep rank " + communicator.rank(), communicator.processors());
    }

    /** How the lanes of a plan are made: as they should be, or with a fault planted. */
    @FunctionalInterface
    interface LaneMaker {
        Lane make(Setup setup, int index, Waiter waiter, Arena scratch);
    }

    int id() {
        return id;
    }

    long offset() {
        return offset;
    }

    PlanLayout layout() {
        return layout;
    }

    void choose(Choice measured) {
        choice = measured;
    }

    @Override
    public Operation operation() {
        return operation;
    }

    @Override
    public Algorithm algorithm(int tokens) {
        return operation.algorithm() == Algorithm.AUTO ? choice.of(tokens) : operation.algorithm();
    }

    @Override
    public long sharedBytes() {
        int buffers = (lent == null ? 0 : PlanLayout.LENT_BUFFERS) + (symmetric == null ? 0 : 1);
        return layout.committedBytes() + buffers * layout.inputBytes() * communicator.worldSize();
    }

    @Override
    public HostBuffer input() {
        communicator.enter();
        try {
            requireOpen();
            if (lent == null) {
                HostBuffer[] buffers = new HostBuffer[PlanLayout.LENT_BUFFERS];
                for (int buffer = 0; buffer < buffers.length; buffer++) {
                    buffers[buffer] = sharedInput(layout.lent(communicator.rank(), buffer));
                }
                lent = buffers;
            }
            filling = true;
            return lent[call.numberInPlan % PlanLayout.LENT_BUFFERS];
        } finally {
            communicator.exit();
        }
    }

    @Override
    public HostBuffer symmetricInput() {
        communicator.enter();
        try {
            requireOpen();
            if (symmetric == null) {
                symmetric = sharedInput(layout.symmetric(communicator.rank()));
            }
            return symmetric;
        } finally {
            communicator.exit();
        }
    }

    /** An input buffer in the plan's memory, its pages there from now on. */
    private HostBuffer sharedInput(long at) {
        communicator.memory().commit(offset + at, layout.inputBytes());
        return new HostBuffer(memory.asSlice(at, operation.maxTokens() * operation.rowBytes()));
    }

    @Override
    public void run(int tokens, Tensors tensors) {
        run(tokens, tensors, algorithm(tokens));
    }

    void run(int tokens, Tensors tensors, Algorithm algorithm) {
        communicator.enter();
        try {
            requireOpen();
            operands.bind(tokens, tensors);
            call.place = placeOfInput();
            if (call.place == Lane.LENT && !filling) {
                throw new UsageException("The call names no input, and input() was not asked for since the last call:"
                        + " fill the buffer that it lends, or give an input.");
            }
            call.tokens = tokens;
            call.elements = (long) tokens * operation.hidden();
            call.rows = layout.rows(call.elements);
            call.activeLanes = activeLanes();
            call.algorithm = algorithm;
            call.number = communicator.beginCall(id, tokens);
            call.fingerprint = communicator.fingerprint(id, call.number, tokens);
            if (call.activeLanes == 1) {
                lanes[0].run();
            } else {
                team.run(lanes, call.activeLanes);
            }
            call.numberInPlan++;
            filling = false;
        } catch (RuntimeException | Error e) {
            throw communicator.failing(e);
        } finally {
            communicator.exit();
        }
    }

    private long placeOfInput() {
        if (!operands.input.given()) {
            return Lane.LENT;
        }
        return symmetric != null && operands.input.address() == symmetricAddress ? Lane.SYMMETRIC : Lane.STAGED;
    }

    /** The same on every rank, since every rank has the same call. */
    private int activeLanes() {
        long worthwhile = call.elements * operation.dtype().bytes() / LANE_BYTES;
        return Math.clamp(worthwhile, 1, Math.min(lanes.length, call.rows));
    }

    /** Where the input buffers of a rank begin. */
    private long inputsOf(int rank) {
        return memory.address() + layout.lent(rank, 0);
    }

    private void requireOpen() {
        if (closed) {
            throw new UsageException("The plan is closed.");
        }
    }

    @Override
    public void close() {
        communicator.enterToClose("a plan");
        try {
            release();
        } finally {
            communicator.exit();
        }
    }

    /** Gives the memory back, within a use of the communicator. */
    void release() {
        if (!closed) {
            closed = true;
            team.close();
            arena.close();
            communicator.planClosed(this);
        }
    }
}
