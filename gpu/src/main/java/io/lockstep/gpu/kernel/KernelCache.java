package io.lockstep.gpu.kernel;

import io.lockstep.gpu.driver.Compiler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * Compiled kernels, kept on disk under a hash of all that they depend on. A file begins with the hash of the code that
 * follows, so that one that was cut short or changed is not loaded but made anew.
 */
public final class KernelCache {
    private static final int HASH_BYTES = 32;

    private final Path folder;

    /** Kept in this folder, which is made when needed. */
    public KernelCache(Path folder) {
        this.folder = folder;
    }

    /**
     * The code, compiled if it is not there.
     *
     * @param driver which one and its version
     */
    public byte[] code(Compiler compiler, String driver, String architecture, String source, List<String> defines) {
        Path file = folder.resolve(name(compiler.identity(), driver, architecture, source, defines));
        byte[] kept = read(file);
        if (kept.length > 0) {
            return kept;
        }
        byte[] code = compiler.compile(source, architecture, defines);
        write(file, code);
        return code;
    }

    /** The name of the file that such code is kept in. */
    static String name(String compiler, String driver, String architecture, String source, List<String> defines) {
        MessageDigest digest = sha256();
        for (String part : List.of(compiler, driver, architecture, String.join(" ", defines), source)) {
            digest.update(part.getBytes(StandardCharsets.UTF_8));
            digest.update((byte) 0);
        }
        return architecture + "-" + HexFormat.of().formatHex(digest.digest(), 0, 12) + ".bin";
    }

    private static byte[] read(Path file) {
        try {
            byte[] all = Files.readAllBytes(file);
            if (all.length > HASH_BYTES) {
                byte[] code = Arrays.copyOfRange(all, HASH_BYTES, all.length);
                if (Arrays.equals(sha256().digest(code), Arrays.copyOf(all, HASH_BYTES))) {
                    return code;
                }
            }
        } catch (IOException absent) {
            // Compiled anew.
        }
        return new byte[0];
    }

    /** Written beside its place and moved there, so that no reader ever sees half of it. */
    private static void write(Path file, byte[] code) {
        try {
            Files.createDirectories(file.getParent());
            Path temporary = Files.createTempFile(file.getParent(), "kernel", ".tmp");
            try {
                byte[] all = Arrays.copyOf(sha256().digest(code), HASH_BYTES + code.length);
                System.arraycopy(code, 0, all, HASH_BYTES, code.length);
                Files.write(temporary, all);
                Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            System.getLogger(KernelCache.class.getName())
                    .log(System.Logger.Level.DEBUG, "The compiled kernels are not kept.", e);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256.", e);
        }
    }
}
