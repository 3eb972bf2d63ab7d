package io.lockstep.gpu;

import io.lockstep.core.Buffer;
import io.lockstep.core.DeviceSpan;
import io.lockstep.core.HostBuffer;
import io.lockstep.core.Operation;
import io.lockstep.core.Tensors;
import io.lockstep.gpu.GpuSelfTest.Group;
import io.lockstep.gpu.collective.GpuDiagnostics;
import io.lockstep.gpu.kernel.Exchange;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** One operation by every exchange, with tensors on the host and on the device, against the specification. */
final class SelfTestBits {
    private final GpuSelfTest test;
    private final Operation operation;
    private final List<Integer> tokens;

    SelfTestBits(GpuSelfTest test, Operation operation, List<Integer> tokens) {
        this.test = test;
        this.operation = operation;
        this.tokens = tokens;
    }

    void run() {
        String name = operation.dtype() + " hidden " + operation.hidden() + " tokens " + tokens
                + (operation.residual() ? "" : " no residual") + (operation.norm() ? "" : " no norm");
        try (Arena arena = Arena.ofShared()) {
            List<SelfTestCase> cases = new ArrayList<>();
            SplittableRandom random = new SplittableRandom(test.seed + operation.hidden());
            for (int count : tokens) {
                cases.add(new SelfTestCase(operation, test.worldSize, count, test.seed + count, arena));
            }
            for (int i = 0; i < test.iterations; i++) {
                int count = random.nextInt(1, operation.maxTokens() + 1);
                cases.add(new SelfTestCase(operation, test.worldSize, count, test.seed * 1000 + i, arena));
            }
            for (Exchange exchange : Exchange.values()) {
                test.check(name + " " + exchange, () -> exchange(exchange, cases));
            }
            test.check(name + " auto", () -> exchange(null, cases));
        }
    }

    private String exchange(@Nullable Exchange exchange, List<SelfTestCase> cases) throws Exception {
        try (Group group = new Group(test.spec())) {
            return Group.all(
                    group.each(communicator -> {
                        GpuPlan plan = exchange == null
                                ? communicator.plan(operation)
                                : GpuDiagnostics.plan(communicator, operation, exchange);
                        StringBuilder complaints = new StringBuilder();
                        for (int pass = 0; pass < 2; pass++) {
                            for (SelfTestCase one : cases) {
                                complaints.append(onHost(communicator, plan, one));
                                complaints.append(onDevice(communicator, plan, one, 0));
                            }
                        }
                        // Off the boundary that whole packs need.
                        complaints.append(onDevice(
                                communicator,
                                plan,
                                cases.getFirst(),
                                operation.dtype().bytes()));
                        plan.close();
                        return complaints.toString();
                    }),
                    "0 wrong bits in " + (4 * cases.size() + 1) + " calls");
        }
    }

    private String onHost(GpuCommunicator communicator, GpuPlan plan, SelfTestCase one) {
        try (Arena arena = Arena.ofConfined()) {
            Tensors tensors = one.onHost(communicator.rank(), arena);
            plan.run(one.tokens, tensors);
            return complaints(
                    one, "host", segment(tensors.reduced()), segment(tensors.residualOut()), segment(tensors.out()));
        }
    }

    private static MemorySegment segment(@Nullable Buffer buffer) {
        return buffer instanceof HostBuffer host ? host.segment() : MemorySegment.NULL;
    }

    /** Each tensor begins so many bytes behind a boundary. */
    private String onDevice(GpuCommunicator communicator, GpuPlan plan, SelfTestCase one, long shift) {
        long bytes = one.tokens * operation.rowBytes();
        List<DeviceSpan> spans = new ArrayList<>();
        try (Arena arena = Arena.ofConfined()) {
            DeviceSpan reduced = put(communicator, spans, MemorySegment.NULL, bytes, shift);
            DeviceSpan residualOut = put(communicator, spans, MemorySegment.NULL, bytes, shift);
            DeviceSpan out = put(communicator, spans, MemorySegment.NULL, bytes, shift);
            Tensors tensors = Tensors.of(put(communicator, spans, one.inputs[communicator.rank()], bytes, shift))
                    .withReduced(reduced);
            if (operation.residual()) {
                tensors = tensors.withResidual(put(communicator, spans, one.residual, bytes, shift))
                        .withResidualOut(residualOut);
            }
            if (operation.norm()) {
                tensors = tensors.withWeight(put(communicator, spans, one.weight, operation.rowBytes(), shift))
                        .withOut(out);
            }
            plan.run(one.tokens, tensors);
            plan.check();
            return complaints(
                    one,
                    "device",
                    fetch(communicator, reduced, arena),
                    operation.residual() ? fetch(communicator, residualOut, arena) : MemorySegment.NULL,
                    operation.norm() ? fetch(communicator, out, arena) : MemorySegment.NULL);
        } finally {
            spans.forEach(communicator::free);
        }
    }

    private static DeviceSpan put(
            GpuCommunicator communicator, List<DeviceSpan> spans, MemorySegment from, long bytes, long shift) {
        DeviceSpan whole = communicator.allocate(bytes + shift);
        spans.add(whole);
        DeviceSpan span = whole.slice(shift, bytes);
        if (from.address() != 0) {
            communicator.upload(from.asSlice(0, bytes), span);
        }
        return span;
    }

    private static MemorySegment fetch(GpuCommunicator communicator, DeviceSpan span, Arena arena) {
        MemorySegment segment = SelfTestCase.tensor(arena, span.bytes());
        communicator.download(span, segment);
        return segment;
    }

    private String complaints(
            SelfTestCase one, String where, MemorySegment reduced, MemorySegment residualOut, MemorySegment out) {
        String complaints = one.difference("reduced", reduced, one.reduced, one.tokens);
        if (operation.residual()) {
            complaints += one.difference("residual_out", residualOut, one.residualOut, one.tokens);
        }
        if (operation.norm()) {
            complaints += one.difference("out", out, one.out, one.tokens);
        }
        return complaints.isEmpty() ? "" : where + " " + one.tokens + " tokens, " + complaints;
    }
}
