package io.lockstep.gpu;

import io.lockstep.core.CollectiveTimeoutException;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.DisagreementException;
import io.lockstep.core.LockstepException;
import io.lockstep.core.Operation;
import io.lockstep.core.PeerLostException;
import io.lockstep.core.Tensors;
import io.lockstep.gpu.GpuSelfTest.Group;
import io.lockstep.gpu.collective.GpuDiagnostics;
import io.lockstep.gpu.kernel.Exchange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** Queues, graphs, and what goes wrong. */
final class SelfTestCalls {
    private static final int QUEUED = 64;
    private static final Duration SHORT = Duration.ofSeconds(2);

    private final GpuSelfTest test;
    private final Operation operation;

    SelfTestCalls(GpuSelfTest test, Operation operation) {
        this.test = test;
        this.operation = operation;
    }

    void run() {
        for (Exchange exchange : Exchange.values()) {
            test.check("64 queued calls " + exchange, () -> queued(exchange));
            test.check("graph " + exchange, () -> graph(exchange));
            test.check("other tokens " + exchange, () -> otherTokens(exchange));
            test.check("a rank that never comes " + exchange, () -> neverComes(exchange));
            test.check("a rank that leaves " + exchange, () -> leaves(exchange));
            test.check("a new group afterwards " + exchange, () -> queued(exchange));
        }
        if (test.process) {
            test.check("a rank that is killed", () -> killed(Exchange.TWO_SHOT_PUSH));
        }
    }

    /** Device tensors with room for the outputs of many calls. */
    private static final class OnDevice implements AutoCloseable {
        final GpuCommunicator communicator;
        final SelfTestCase one;
        final List<DeviceSpan> spans = new ArrayList<>();
        final List<Tensors> calls = new ArrayList<>();
        final List<DeviceSpan> outs = new ArrayList<>();

        OnDevice(GpuCommunicator communicator, SelfTestCase one, int count) {
            this.communicator = communicator;
            this.one = one;
            DeviceSpan input = put(one.inputs[communicator.rank()]);
            DeviceSpan residual = put(one.residual);
            DeviceSpan weight = put(one.weight);
            DeviceSpan residualOut = put(one.residual);
            for (int call = 0; call < count; call++) {
                DeviceSpan out = communicator.allocate(one.out.byteSize());
                spans.add(out);
                outs.add(out);
                calls.add(Tensors.of(input)
                        .withResidual(residual)
                        .withResidualOut(residualOut)
                        .withWeight(weight)
                        .withOut(out));
            }
        }

        private DeviceSpan put(MemorySegment from) {
            DeviceSpan span = communicator.allocate(from.byteSize());
            spans.add(span);
            communicator.upload(from, span);
            return span;
        }

        String complaints(int call, int tokens) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment found = SelfTestCase.tensor(arena, one.out.byteSize());
                communicator.download(outs.get(call), found);
                String difference = one.difference("out", found, one.out, tokens);
                return difference.isEmpty() ? "" : "call " + call + " of " + tokens + " tokens, " + difference;
            }
        }

        void clear() {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment zeros = SelfTestCase.tensor(arena, one.out.byteSize());
                outs.forEach(out -> communicator.upload(zeros, out));
            }
        }

        @Override
        public void close() {
            spans.forEach(communicator::free);
        }
    }

    private SelfTestCase data(Arena arena) {
        return new SelfTestCase(operation, test.worldSize, operation.maxTokens(), test.seed, arena);
    }

    private int tokens(int call) {
        return 1 + call * 37 % operation.maxTokens();
    }

    private String queued(Exchange exchange) throws Exception {
        try (Arena arena = Arena.ofShared();
                Group group = new Group(test.spec())) {
            SelfTestCase one = data(arena);
            return Group.all(
                    group.each(communicator -> {
                        StringBuilder complaints = new StringBuilder();
                        try (GpuPlan plan = GpuDiagnostics.plan(communicator, operation, exchange);
                                OnDevice device = new OnDevice(communicator, one, QUEUED)) {
                            for (int call = 0; call < QUEUED; call++) {
                                plan.run(tokens(call), device.calls.get(call));
                            }
                            plan.check();
                            for (int call = 0; call < QUEUED; call++) {
                                complaints.append(device.complaints(call, tokens(call)));
                            }
                        }
                        return complaints.toString();
                    }),
                    QUEUED + " calls right");
        }
    }

    private String graph(Exchange exchange) throws Exception {
        int inGraph = 5;
        try (Arena arena = Arena.ofShared();
                Group group = new Group(test.spec())) {
            SelfTestCase one = data(arena);
            return Group.all(
                    group.each(communicator -> {
                        StringBuilder complaints = new StringBuilder();
                        try (GpuPlan plan = GpuDiagnostics.plan(communicator, operation, exchange);
                                OnDevice device = new OnDevice(communicator, one, inGraph + 1);
                                GpuGraph graph = plan.capture(() -> {
                                    for (int call = 0; call < inGraph; call++) {
                                        plan.run(tokens(call), device.calls.get(call));
                                    }
                                })) {
                            for (int replay = 0; replay < 20; replay++) {
                                device.clear();
                                graph.launch();
                                if (replay % 3 == 1) {
                                    graph.launch();
                                }
                                plan.run(tokens(replay), device.calls.get(inGraph));
                                plan.check();
                                for (int call = 0; call < inGraph; call++) {
                                    complaints.append(device.complaints(call, tokens(call)));
                                }
                                complaints.append(device.complaints(inGraph, tokens(replay)));
                            }
                        }
                        return complaints.toString();
                    }),
                    "20 replays with eager calls between right");
        }
    }

    private String otherTokens(Exchange exchange) throws Exception {
        return failing(exchange, DisagreementException.class, (communicator, plan, tensors) -> {
            plan.run(operation.maxTokens() / 2, tensors);
            plan.run(communicator.rank() == 1 ? operation.maxTokens() : operation.maxTokens() - 1, tensors);
            plan.check();
        });
    }

    private String neverComes(Exchange exchange) throws Exception {
        return failing(exchange, CollectiveTimeoutException.class, (communicator, plan, tensors) -> {
            plan.run(operation.maxTokens() / 2, tensors);
            if (communicator.rank() != 1) {
                plan.run(operation.maxTokens() - 1, tensors);
                plan.run(operation.maxTokens() - 1, tensors);
            } else if (test.process) {
                // It is there, and does nothing until the others have given up.
                LockSupport.parkNanos(SHORT.plusSeconds(1).toNanos());
            }
            plan.check();
        });
    }

    private String leaves(Exchange exchange) throws Exception {
        return failing(exchange, PeerLostException.class, (communicator, plan, tensors) -> {
            plan.run(operation.maxTokens() / 2, tensors);
            plan.check();
            if (communicator.rank() == 1) {
                communicator.close();
                return;
            }
            plan.run(operation.maxTokens() - 1, tensors);
            plan.check();
        });
    }

    /** The last rank ends without a word, its peers' calls under way. */
    private String killed(Exchange exchange) throws Exception {
        return failing(exchange, PeerLostException.class, (communicator, plan, tensors) -> {
            plan.run(operation.maxTokens() / 2, tensors);
            plan.check();
            if (communicator.rank() == 1) {
                Runtime.getRuntime().halt(SelfTestProcesses.KILLED);
            }
            for (int call = 0; call < QUEUED; call++) {
                plan.run(operation.maxTokens() - 1, tensors);
            }
            plan.check();
        });
    }

    private interface Calls {
        void run(GpuCommunicator communicator, GpuPlan plan, Tensors tensors);
    }

    /** Every rank but the one that stays away must fail so, soon after the deadline at the latest. */
    private String failing(Exchange exchange, Class<? extends LockstepException> expected, Calls calls)
            throws Exception {
        List<String> sentences = new ArrayList<>();
        try (Arena arena = Arena.ofShared();
                Group group = new Group(test.spec().withCallTimeout(SHORT))) {
            SelfTestCase one = data(arena);
            String answer = Group.all(
                    group.each(communicator -> {
                        GpuPlan plan = GpuDiagnostics.plan(communicator, operation, exchange);
                        OnDevice device = new OnDevice(communicator, one, 1);
                        boolean away = communicator.rank() == 1 && expected != DisagreementException.class;
                        long start = System.nanoTime();
                        try {
                            calls.run(communicator, plan, device.calls.getFirst());
                            return away ? "" : "nothing was thrown; ";
                        } catch (LockstepException e) {
                            double seconds = (System.nanoTime() - start) * 1e-9;
                            synchronized (sentences) {
                                sentences.add(e.getMessage());
                            }
                            return expected.isInstance(e) && seconds < SHORT.toSeconds() + 2
                                    ? ""
                                    : e.getClass().getSimpleName() + " after " + seconds + " s: " + e.getMessage()
                                            + "; ";
                        }
                    }),
                    "fine");
            if (answer.startsWith("!") || !sentences.isEmpty()) {
                return answer.startsWith("!") ? answer : sentences.getFirst();
            }
            return test.process ? "this rank stayed away" : "!nobody failed";
        }
    }
}
