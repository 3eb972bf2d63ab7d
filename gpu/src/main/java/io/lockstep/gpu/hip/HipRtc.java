package io.lockstep.gpu.hip;

import io.lockstep.gpu.driver.NativeLibrary;
import io.lockstep.gpu.driver.RuntimeCompiler;
import java.util.ArrayList;
import java.util.List;

/** AMD's run-time compiler: a library of its own, or the older kind within the runtime. */
final class HipRtc {
    private static final RuntimeCompiler COMPILER = new RuntimeCompiler(
            "hipRTC",
            "hiprtc",
            "Code",
            "lockstep.hip",
            NativeLibrary.open("AMD's run-time compiler hipRTC", candidates()));

    private HipRtc() {}

    /**
     * The compiler; it says itself why not where it is absent. Compiling may end this process: {@link HipRtcProcess}.
     */
    static RuntimeCompiler compiler() {
        return COMPILER;
    }

    private static List<String> candidates() {
        List<String> candidates = new ArrayList<>(
                List.of("libhiprtc.so.7", "libhiprtc.so.6", "libhiprtc.so.5", "/opt/rocm/lib/libhiprtc.so"));
        candidates.addAll(Hip.LIBRARIES);
        return candidates;
    }
}
