package io.lockstep.gpu.hip;

import io.lockstep.core.DriverException;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.driver.Compiler;
import io.lockstep.gpu.inspect.AmdgcnArch;
import io.lockstep.gpu.inspect.CodeObject;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** hipRTC; where it is not found, or does not know the architecture, a clang of the machine. */
public final class HipCompiler implements Compiler {
    /** A code object, and which compiler has made it. */
    static final class Compiled {
        private final byte[] code;
        private final String compiler;

        private Compiled(byte[] code, String compiler) {
            this.code = code;
            this.compiler = compiler;
        }

        byte[] code() {
            return code;
        }

        /** Its name and version. */
        String compiler() {
            return compiler;
        }
    }

    /** In the order in which they are asked. */
    private final List<CodeObjectCompiler> compilers;

    /** Of those that are not here, in clauses. */
    private final List<String> whyNot;

    /** Those of the machine. */
    public HipCompiler() {
        this(HipRtc.compiler().whyNot() == null ? HipRtcProcess.ofJava() : null, HipClang.find());
    }

    /** For tests; either may be absent. */
    HipCompiler(@Nullable CodeObjectCompiler runTime, @Nullable CodeObjectCompiler clang) {
        compilers = Stream.of(runTime, clang)
                .<CodeObjectCompiler>mapMulti((compiler, here) -> {
                    if (compiler != null) {
                        here.accept(compiler);
                    }
                })
                .toList();
        List<String> reasons = new ArrayList<>();
        if (runTime == null) {
            String reason = HipRtc.compiler().whyNot();
            reasons.add(reason == null ? "hipRTC is left out" : reason);
        }
        if (clang == null) {
            reasons.add(HipClang.whyNot());
        }
        whyNot = List.copyOf(reasons);
    }

    @Override
    public String identity() {
        requireAny();
        return compilers.stream().map(CodeObjectCompiler::identity).collect(Collectors.joining(", "));
    }

    @Override
    public byte[] compile(String source, String architecture, List<String> defines) {
        return compiled(source, AmdgcnArch.of(architecture), defines).code();
    }

    /**
     * Compiles, and says which compiler it was: an older one does not know newer architectures.
     *
     * @throws DriverException if there is none, or none of them compiles, with the words of each
     */
    Compiled compiled(String source, AmdgcnArch arch, List<String> defines) {
        requireAny();
        List<String> options = options(arch, defines);
        List<DriverException> failures = new ArrayList<>();
        for (CodeObjectCompiler compiler : compilers) {
            try {
                byte[] code = compiler.compile(source, options);
                requireArchitecture(code, arch, compiler);
                return new Compiled(code, compiler.identity());
            } catch (DriverException e) {
                failures.add(e);
            }
        }
        String words = failures.stream()
                .map(failure -> String.valueOf(failure.getMessage()).strip())
                .collect(Collectors.joining("\n"));
        String absent = whyNot.isEmpty() ? "" : "\nNo other compiler was asked: " + String.join(", and ", whyNot) + ".";
        DriverException failure = new DriverException(words + absent, failures.getLast());
        failures.subList(0, failures.size() - 1).forEach(failure::addSuppressed);
        throw failure;
    }

    /** What every compiler is told. No multiply and add in one; IEEE division and root are the default. */
    public static List<String> options(AmdgcnArch arch, List<String> defines) {
        List<String> options =
                new ArrayList<>(List.of("--offload-arch=" + arch.label(), "-std=c++17", "-O3", "-ffp-contract=off"));
        options.add("-DLS_WAVE=" + arch.wave());
        defines.forEach(define -> options.add("-D" + define));
        return options;
    }

    private static void requireArchitecture(byte[] code, AmdgcnArch arch, CodeObjectCompiler compiler) {
        String found;
        try {
            found = CodeObject.read(code).architecture();
        } catch (UsageException e) {
            throw new DriverException(
                    compiler.identity() + " was to make a code object for " + arch.label() + ". " + e.getMessage(), e);
        }
        if (!found.equals(arch.label())) {
            throw new DriverException(compiler.identity() + " was to make a code object for " + arch.label()
                    + ", and made one for " + found + ".");
        }
    }

    private void requireAny() {
        if (compilers.isEmpty()) {
            throw new DriverException("No compiler for the kernels: " + String.join(", and ", whyNot)
                    + ". Install ROCm's hipRTC, or clang 19 or newer with its lld.");
        }
    }
}
