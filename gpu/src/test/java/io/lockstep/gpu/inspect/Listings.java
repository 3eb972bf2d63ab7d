package io.lockstep.gpu.inspect;

import io.lockstep.core.DType;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.gpu.hip.HipCompiler;
import io.lockstep.gpu.hip.Needs;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import io.lockstep.gpu.kernel.ProtocolText;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The kernels compiled for an architecture, each once. */
final class Listings {
    /** Rows that are no whole packs, of warps that are no whole waves: the fewest kernels. */
    static final KernelOptions ODD = new KernelOptions(2, DType.BF16, 2811, true, true);

    /** Rows so short that a wave of 64 holds the whole work-group, which has no barriers then. */
    static final KernelOptions ONE_WAVE = new KernelOptions(2, DType.BF16, 251, true, true);

    /** What compiles fastest of those. */
    static final KernelOptions SMALL_ONE_WAVE = new KernelOptions(2, DType.FP32, 123, false, false);

    /** What compiles fastest of what has more than one wave. */
    static final KernelOptions SMALL = new KernelOptions(2, DType.FP32, 301, false, false);

    private static final Map<AmdgcnArch, String> RIGHT = new ConcurrentHashMap<>();

    private Listings() {}

    /** With the default protocols, and short, since it is judged again with every damage. */
    static String right(AmdgcnArch arch) {
        return RIGHT.computeIfAbsent(arch, key -> of(key, KernelSource.text(), SMALL));
    }

    /** With each of these protocols, by name; compiled side by side. */
    static Map<String, String> of(AmdgcnArch arch, List<Protocol> protocols, KernelOptions options) {
        Map<String, String> listings = new ConcurrentHashMap<>();
        protocols.parallelStream()
                .forEach(protocol -> listings.put(
                        protocol.name(), of(arch, KernelSource.text(ProtocolText.render(protocol)), options)));
        return listings;
    }

    static String of(AmdgcnArch arch, String source, KernelOptions options) {
        return Needs.clang().listing(source, HipCompiler.options(arch, options.defines(0)));
    }
}
