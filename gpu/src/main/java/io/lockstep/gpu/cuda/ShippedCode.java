package io.lockstep.gpu.cuda;

import io.lockstep.core.DType;
import io.lockstep.gpu.kernel.KernelOptions;
import io.lockstep.gpu.kernel.KernelSource;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Kernels that were compiled when Lockstep was built, where nvcc was there, for machines without a compiler:
 * all-reduce, residual add and norm in bf16 for a few architectures and world sizes and one row length. They serve
 * every rank, so they are a little longer than what a compiler makes for one. A name is a hash of source and options:
 * what was made of other text is never found.
 */
final class ShippedCode {
    /** Code for a major version runs on all devices of it. */
    static final List<String> ARCHITECTURES = List.of("sm_80", "sm_90", "sm_100", "sm_120");

    static final List<Integer> RANKS = List.of(2, 4, 8);
    static final List<Integer> HIDDEN = List.of(2880);

    private static final String FOLDER = "shipped/";
    private static final String RANK = "LS_RANK=";
    private static final int HASH_BYTES = 12;

    private ShippedCode() {}

    /** Code of this source for a device, if it was shipped. */
    static Optional<byte[]> find(String source, String architecture, List<String> defines) {
        String digits = architecture.replaceAll("\\D", "");
        String oldest = "sm_" + digits.substring(0, Math.max(digits.length() - 1, 0)) + "0";
        for (String candidate : List.of(architecture, oldest)) {
            try (InputStream in = ShippedCode.class.getResourceAsStream(FOLDER + name(source, candidate, defines))) {
                if (in != null) {
                    return Optional.of(in.readAllBytes());
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return Optional.empty();
    }

    /** What can have been shipped, in words. */
    static String contents() {
        return "bf16 with residual and norm, hidden " + HIDDEN + ", on " + RANKS + " ranks, for " + ARCHITECTURES;
    }

    /** The name of a file, the same for every rank. */
    static String name(String source, String architecture, List<String> defines) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            defines.stream().filter(define -> !define.startsWith(RANK)).forEach(define -> {
                digest.update(define.getBytes(StandardCharsets.UTF_8));
                digest.update((byte) 0);
            });
            digest.update(source.getBytes(StandardCharsets.UTF_8));
            return architecture + "-" + HexFormat.of().formatHex(digest.digest(), 0, HASH_BYTES) + ".cubin";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256.", e);
        }
    }

    /** One file to make. */
    private record Wanted(String architecture, KernelOptions options) {}

    /**
     * Compiles what is to be shipped, side by side, but for what is there already. Without nvcc nothing is made.
     *
     * @param arguments the folder of classes that the jar is made of
     */
    public static void main(String[] arguments) throws IOException {
        System.Logger log = System.getLogger(ShippedCode.class.getName());
        Path nvcc = CudaCompiler.nvcc();
        if (nvcc == null) {
            log.log(System.Logger.Level.INFO, "nvcc is not here: no compiled kernels are put into the jar.");
            return;
        }
        Path folder = Files.createDirectories(
                Path.of(arguments[0], "io", "lockstep", "gpu", "cuda").resolve(FOLDER));
        String source = KernelSource.text();
        List<Wanted> all = new ArrayList<>();
        for (String architecture : ARCHITECTURES) {
            for (int ranks : RANKS) {
                for (int hidden : HIDDEN) {
                    all.add(new Wanted(architecture, new KernelOptions(ranks, DType.BF16, hidden, true, true)));
                }
            }
        }
        Set<String> names = all.stream()
                .map(wanted ->
                        name(source, wanted.architecture(), wanted.options().defines()))
                .collect(Collectors.toSet());
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                // What an earlier build made of other sources.
                if (!names.contains(file.getFileName().toString())) {
                    Files.delete(file);
                }
            }
        }
        IntStream.range(0, all.size()).parallel().forEach(i -> make(folder, source, all.get(i)));
        log.log(System.Logger.Level.INFO, "{0} compiled kernels are in the jar.", all.size());
    }

    private static void make(Path folder, String source, Wanted wanted) {
        List<String> defines = wanted.options().defines();
        Path file = folder.resolve(name(source, wanted.architecture(), defines));
        if (!Files.exists(file)) {
            try {
                Files.write(file, new CudaCompiler().compileByNvcc(source, wanted.architecture(), defines));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
