package io.lockstep.gpu.hip;

import java.util.List;

/** A compiler of this machine that makes code objects for AMD GPUs. */
interface CodeObjectCompiler {
    /** Which one it is and its version. */
    String identity();

    /**
     * Compiles one self-contained source.
     *
     * @throws io.lockstep.core.DriverException with its words if it does not compile
     */
    byte[] compile(String source, List<String> options);
}
