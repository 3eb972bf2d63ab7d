package io.lockstep.gpu.inspect;

import io.lockstep.core.DType;
import io.lockstep.gpu.hip.HipCompiler;
import io.lockstep.gpu.hip.Needs;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The kernels compiled for an architecture, each once. */
final class Listings {
    /** Rows that are no whole packs, of warps that are no whole waves: the fewest kernels. */
    static final KernelOptions ODD = new KernelOptions(2, DType.BF16, 2811, true, true);

    /** What compiles fastest of what has more than one wave: a group of one has no barriers. */
    static final KernelOptions SMALL = new KernelOptions(2, DType.FP32, 301, false, false);

    private static final Map<AmdgcnArch, String> RIGHT = new ConcurrentHashMap<>();

    private Listings() {}

    /** With the default protocols. */
    static String right(AmdgcnArch arch) {
        return RIGHT.computeIfAbsent(arch, key -> of(key, KernelSource.text(), ODD));
    }

    static String of(AmdgcnArch arch, String source, KernelOptions options) {
        return Needs.clang().listing(source, HipCompiler.options(arch, options.defines(0)));
    }
}
