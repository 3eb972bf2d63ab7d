/** The API, the numeric contract and the CPU backend. Depends on the JDK alone. */
module io.lockstep.core {
    requires jdk.incubator.vector;
    requires static org.jspecify;

    exports io.lockstep.core;
    exports io.lockstep.core.reference;
    // For planting faults and measuring, not for users.
    exports io.lockstep.core.cpu to
            io.lockstep.cli;
    exports io.lockstep.core.group to
            io.lockstep.gpu;
    exports io.lockstep.core.planning to
            io.lockstep.gpu;
    exports io.lockstep.core.posix to
            io.lockstep.gpu;
    exports io.lockstep.core.protocol to
            io.lockstep.cli,
            io.lockstep.gpu,
            io.lockstep.litmus;

    uses io.lockstep.core.Backend;

    provides io.lockstep.core.Backend with
            io.lockstep.core.cpu.CpuBackend;
}
