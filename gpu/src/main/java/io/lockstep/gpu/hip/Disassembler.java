package io.lockstep.gpu.hip;

import io.lockstep.core.DriverException;
import io.lockstep.gpu.driver.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** LLVM's disassembler, of the machine or of ROCm. */
public final class Disassembler {
    private final Path file;

    private Disassembler(Path file) {
        this.file = file;
    }

    /** Null if there is none. */
    public static @Nullable Disassembler find() {
        Path found = LlvmPrograms.find("llvm-objdump");
        return found == null ? null : new Disassembler(found);
    }

    /** The instructions of a code object, with labels for the targets of branches. */
    public String listing(byte[] codeObject) {
        try {
            Path code = Files.createTempFile("lockstep-code", ".co");
            try {
                Files.write(code, codeObject);
                return Programs.run(
                        List.of(
                                file.toString(),
                                "--disassemble",
                                "--symbolize-operands",
                                "--no-show-raw-insn",
                                "--no-leading-addr",
                                code.toString()),
                        file.toString());
            } finally {
                Files.deleteIfExists(code);
            }
        } catch (IOException e) {
            throw new DriverException("The code object cannot be disassembled: " + e.getMessage() + ".", e);
        }
    }
}
