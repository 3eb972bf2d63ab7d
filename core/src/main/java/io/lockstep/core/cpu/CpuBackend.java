package io.lockstep.core.cpu;

import io.lockstep.core.Backend;
import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Readiness;
import io.lockstep.core.group.LocalGroup;
import io.lockstep.core.group.Membership;
import io.lockstep.core.group.Rendezvous;
import io.lockstep.core.kernels.Kernels;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Ranks on the processors of this machine. */
public final class CpuBackend implements Backend {
    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public Readiness probe() {
        int bits = Kernels.preferredVectorBits();
        return new Readiness.Ready(
                bits == Kernels.SCALAR
                        ? "scalar code, since the Vector API is not there: start Java with --add-modules"
                                + " jdk.incubator.vector"
                        : "vectors of " + bits + " bits");
    }

    @Override
    public Communicator join(GroupSpec spec) {
        return open(spec, Rendezvous.join(spec), Kernels.preferredVectorBits());
    }

    @Override
    public List<Communicator> threads(GroupSpec spec) {
        return threads(spec, new SharedWords(), Kernels.preferredVectorBits());
    }

    static List<Communicator> threads(GroupSpec spec, SharedWords words, int vectorBits) {
        List<Membership> members = LocalGroup.create(spec.worldSize());
        // Opening is collective: each rank needs a thread of its own.
        try (ExecutorService threads = Executors.newFixedThreadPool(members.size())) {
            List<Future<Communicator>> opening = new ArrayList<>();
            for (Membership member : members) {
                opening.add(threads.submit(() -> new CpuCommunicator(spec, member, words, vectorBits)));
            }
            return opened(opening, members);
        }
    }

    private static List<Communicator> opened(List<Future<Communicator>> opening, List<Membership> members) {
        List<Communicator> opened = new ArrayList<>();
        try {
            for (Future<Communicator> one : opening) {
                opened.add(one.get());
            }
            return opened;
        } catch (ExecutionException | InterruptedException e) {
            // The ranks that still wait for the one that failed learn at once that nobody will come.
            members.forEach(Membership::close);
            opened.forEach(Communicator::close);
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("Opening a group within this JVM failed.", e);
        }
    }

    private static Communicator open(GroupSpec spec, Membership membership, int vectorBits) {
        try {
            return new CpuCommunicator(spec, membership, new SharedWords(), vectorBits);
        } catch (RuntimeException | Error e) {
            membership.close();
            throw e;
        }
    }
}
