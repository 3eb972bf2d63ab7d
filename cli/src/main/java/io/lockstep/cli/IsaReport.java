package io.lockstep.cli;

import io.lockstep.core.DriverException;
import io.lockstep.core.UsageException;
import io.lockstep.gpu.hip.HipInspection;
import io.lockstep.gpu.inspect.AmdgcnArch;
import io.lockstep.gpu.inspect.AmdgcnInspection;
import io.lockstep.gpu.inspect.CodeObject;
import io.lockstep.gpu.inspect.IsaFinding;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What {@code litmus --isa} says of compiled kernels for an AMD GPU: a code object, a listing, or an architecture that
 * they are compiled for first.
 *
 * @param what was inspected, in words
 * @param findings what is wrong
 */
record IsaReport(String what, List<IsaFinding> findings) {
    private static final Pattern TARGET = Pattern.compile("\\.amdgcn_target \"[^\"]*--([^\"]+)");
    private static final String BUNDLE = "__CLANG_OFFLOAD_BUNDLE__";

    /** Code objects have some 100 KB, and listings some MB. */
    private static final long MOST_BYTES = 256 << 20;

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
            HipInspection inspection = HipInspection.ofKernels(AmdgcnArch.of(fileOrArchitecture));
            return of("the kernels, compiled by " + inspection.compiler(), inspection);
        }
        Path file = Path.of(fileOrArchitecture);
        if (!Files.isRegularFile(file)) {
            throw new UsageException("'" + fileOrArchitecture + "' is no file, and the kernels are compiled for no such"
                    + " architecture: expected a code object, a listing, or one of " + AmdgcnArch.names() + ".");
        }
        try {
            if (Files.size(file) > MOST_BYTES) {
                throw new UsageException("The file " + file + " has " + Files.size(file)
                        + " bytes, which is too much for a code object or a listing: expected at most " + MOST_BYTES
                        + ".");
            }
            byte[] bytes = Files.readAllBytes(file);
            String text = new String(bytes, StandardCharsets.UTF_8);
            if (text.startsWith(BUNDLE)) {
                throw new UsageException(
                        "The file " + file + " is a bundle of code objects: expected one alone. Take it"
                                + " out with clang-offload-bundler --unbundle, or compile with --no-gpu-bundle-output.");
            }
            return CodeObject.isElf(bytes)
                    ? of(file.toString(), HipInspection.ofCodeObject(bytes))
                    : ofListing(file, text);
        } catch (IOException e) {
            throw new UsageException("The file " + file + " cannot be read: " + e.getMessage() + ".");
        }
    }

    private static IsaReport of(String what, HipInspection inspection) {
        if (!inspection.disassembled()) {
            throw new DriverException(
                    "A code object cannot be inspected here: llvm-objdump was not found. Install LLVM 19 or"
                            + " newer (for example the package llvm-22), or ROCm.");
        }
        int kernels = inspection.kernels();
        return new IsaReport(
                what + ": " + kernels + (kernels == 1 ? " kernel for " : " kernels for ")
                        + inspection.arch().label(),
                inspection.findings());
    }

    private static IsaReport ofListing(Path file, String listing) {
        Matcher target = TARGET.matcher(listing);
        if (!target.find()) {
            throw new UsageException(
                    "The file " + file + " is no code object, and no listing that names its target: expected"
                            + " a line '.amdgcn_target', as compilers write it.");
        }
        AmdgcnArch arch = AmdgcnArch.of(target.group(1));
        return new IsaReport(file + ": a listing for " + arch.label(), AmdgcnInspection.listing(arch, listing));
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
                        : (findings.size() == 1 ? "One finding" : findings.size() + " findings") + ". Broken: "
                                + findings.stream()
                                        .map(finding -> finding.rule().label())
                                        .distinct()
                                        .collect(Collectors.joining(", "))
                                + ".");
        return lines;
    }
}
