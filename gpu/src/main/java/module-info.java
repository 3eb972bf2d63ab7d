/** Ranks on GPUs, driven through {@link java.lang.foreign}. Depends on core alone. */
module io.lockstep.gpu {
    requires io.lockstep.core;
    requires static org.jspecify;

    exports io.lockstep.gpu;

    provides io.lockstep.core.Backend with
            io.lockstep.gpu.cuda.CudaBackend;
}
