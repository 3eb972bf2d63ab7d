package io.lockstep.cli;

import io.lockstep.core.DType;
import io.lockstep.core.DriverException;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.hip.Disassembler;
import io.lockstep.gpu.hip.HipCompiler;
import io.lockstep.gpu.inspect.AmdgcnArch;
import io.lockstep.gpu.inspect.AmdgcnInspection;
import io.lockstep.gpu.inspect.CodeObject;
import io.lockstep.gpu.inspect.IsaFinding;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What {@code litmus --isa} says of compiled kernels for an AMD GPU: a code object, a listing, or an architecture that
 * they are compiled for first.
 *
 * @param what was inspected, in words
 * @param findings what is wrong
 */
record IsaReport(String what, List<IsaFinding> findings) {
    /** What every shape has in common is inspected on one of them: four ranks, bf16, rows of gpt-oss. */
    private static final KernelOptions OPTIONS = new KernelOptions(4, DType.BF16, 2880, true, true);

    private static final int ARGUMENT_BYTES = 184;
    private static final Pattern TARGET = Pattern.compile("\\.amdgcn_target \"[^\"]*--([^\":]+)");

    IsaReport {
        findings = List.copyOf(findings);
    }

    /**
     * Of a file, or of an architecture.
     *
     * @throws UsageException if it is neither
     * @throws DriverException if this machine lacks what is needed for it
     */
    static IsaReport of(String fileOrArchitecture) {
        if (AmdgcnArch.isKnown(fileOrArchitecture)) {
            return ofArchitecture(AmdgcnArch.of(fileOrArchitecture));
        }
        Path file = Path.of(fileOrArchitecture);
        if (!Files.isRegularFile(file)) {
            throw new UsageException("'" + fileOrArchitecture + "' is no file, and the kernels are compiled for no such"
                    + " architecture: expected a code object, a listing, or one of "
                    + String.join(
                            ", ",
                            Arrays.stream(AmdgcnArch.values())
                                    .map(AmdgcnArch::label)
                                    .toList())
                    + ".");
        }
        try {
            byte[] bytes = Files.readAllBytes(file);
            if (CodeObject.isElf(bytes)) {
                return ofCodeObject(file.toString(), bytes, 0);
            }
            return ofListing(file, new String(bytes, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UsageException("The file " + file + " cannot be read: " + e.getMessage() + ".");
        }
    }

    private static IsaReport ofArchitecture(AmdgcnArch arch) {
        HipCompiler compiler = new HipCompiler();
        byte[] code = compiler.compile(KernelSource.text(), arch.label(), OPTIONS.defines(0));
        return ofCodeObject(
                "the kernels, compiled for " + arch.label() + " by " + compiler.identity(), code, OPTIONS.threads());
    }

    private static IsaReport ofCodeObject(String what, byte[] code, int threads) {
        CodeObject object = CodeObject.read(code);
        AmdgcnArch arch = AmdgcnArch.of(object.architecture());
        Disassembler disassembler = disassembler();
        List<IsaFinding> findings = new ArrayList<>(AmdgcnInspection.codeObject(arch, object, threads, ARGUMENT_BYTES));
        findings.addAll(AmdgcnInspection.listing(arch, disassembler.listing(code)));
        return new IsaReport(what + ", " + object.kernels().size() + " kernels for " + arch.label(), findings);
    }

    private static IsaReport ofListing(Path file, String listing) {
        Matcher target = TARGET.matcher(listing);
        if (!target.find()) {
            throw new UsageException(
                    "The file " + file + " is no code object, and no listing that names its target: expected"
                            + " a line '.amdgcn_target', as compilers write it.");
        }
        AmdgcnArch arch = AmdgcnArch.of(target.group(1));
        return new IsaReport(file + ", a listing for " + arch.label(), AmdgcnInspection.listing(arch, listing));
    }

    private static Disassembler disassembler() {
        @Nullable Disassembler found = Disassembler.find();
        if (found == null) {
            throw new DriverException(
                    "A code object cannot be inspected here: llvm-objdump was not found. Install LLVM 19 or"
                            + " newer (for example the package llvm-22), or ROCm.");
        }
        return found;
    }

    boolean right() {
        return findings.isEmpty();
    }

    /** For people. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add("Inspected " + what + ".");
        findings.forEach(finding -> lines.add("  " + finding));
        lines.add(
                right()
                        ? "Every rule holds. This says what the code does, not that it ran."
                        : findings.size() + (findings.size() == 1 ? " rule is" : " rules are") + " broken.");
        return lines;
    }
}
