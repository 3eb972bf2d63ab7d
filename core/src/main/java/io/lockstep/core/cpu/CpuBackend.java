package io.lockstep.core.cpu;

import io.lockstep.core.Backend;
import io.lockstep.core.Communicator;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.Readiness;
import io.lockstep.core.group.LocalGroup;
import io.lockstep.core.group.Membership;
import io.lockstep.core.group.Rendezvous;
import io.lockstep.core.kernels.Kernels;
import io.lockstep.core.planning.LocalRanks;
import java.util.List;

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
        return LocalRanks.open(
                LocalGroup.create(spec.worldSize()), member -> new CpuCommunicator(spec, member, words, vectorBits));
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
