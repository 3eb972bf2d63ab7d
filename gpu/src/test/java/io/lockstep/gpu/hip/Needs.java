package io.lockstep.gpu.hip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a test needs of the machine: without it the test is skipped, or fails where {@code LOCKSTEP_SKIP_NOTHING} is
 * set.
 */
public final class Needs {
    private Needs() {}

    /** A clang that compiles for AMD GPUs. */
    public static HipClang clang() {
        return present(HipClang.find(), "clang (Debian: clang-22 lld-22)");
    }

    /** A disassembler that fits it. */
    public static Disassembler disassembler() {
        return present(Disassembler.find(), "llvm-objdump (Debian: llvm-22)");
    }

    /** AMD's HIP runtime, with or without a device. */
    static void hip() {
        present(Hip.whyNot() == null ? "" : null, "libamdhip64 (Debian: libamdhip64-5)");
    }

    /** AMD's run-time compiler. */
    static void hipRtc() {
        present(HipRtc.compiler().whyNot() == null ? "" : null, "hipRTC (Debian: libamdhip64-5 libhiprtc-builtins5)");
    }

    private static <T> T present(@Nullable T found, String what) {
        if (System.getenv("LOCKSTEP_SKIP_NOTHING") != null) {
            assertThat(found).as(what).isNotNull();
        }
        assumeTrue(found != null, what + " is not on this machine.");
        return Objects.requireNonNull(found);
    }
}
