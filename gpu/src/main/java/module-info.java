/** Ranks on GPUs, driven through {@link java.lang.foreign}. Depends on core alone. */
module io.lockstep.gpu {
    requires io.lockstep.core;
    requires static org.jspecify;

    exports io.lockstep.gpu;
    // For checking and measuring, not for users.
    exports io.lockstep.gpu.collective to
            io.lockstep.cli;
    exports io.lockstep.gpu.driver to
            io.lockstep.cli;
    exports io.lockstep.gpu.hip to
            io.lockstep.cli;
    exports io.lockstep.gpu.inspect to
            io.lockstep.cli;
    exports io.lockstep.gpu.kernel to
            io.lockstep.cli;

    provides io.lockstep.core.Backend with
            io.lockstep.gpu.cuda.CudaBackend,
            io.lockstep.gpu.hip.HipBackend;
}
