package io.lockstep.cli.safetensors;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Json;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a file of tensors: made in full beside its place, mapped, and moved there when it is complete, so that nobody
 * ever reads half a file.
 */
public final class SafeTensorsWriter implements AutoCloseable {
    private static final int ALIGNMENT = 8;

    private final Path path;
    private final Path unfinished;
    private final Arena arena = Arena.ofShared();
    private final Map<String, MemorySegment> tensors = new LinkedHashMap<>();
    private boolean complete;

    private SafeTensorsWriter(Path path) {
        this.path = path;
        String name = "." + path.getFileName() + "." + ProcessHandle.current().pid() + ".part";
        this.unfinished = path.resolveSibling(name);
    }

    /**
     * Makes the file's place and maps it. Every tensor begins as zeros.
     *
     * @throws CommandFailure if the file cannot be made
     */
    public static SafeTensorsWriter create(Path path, List<TensorSpec> specs, Map<String, String> metadata) {
        SafeTensorsWriter writer = new SafeTensorsWriter(path.toAbsolutePath());
        try {
            writer.map(specs, metadata);
            return writer;
        } catch (IOException failure) {
            writer.close();
            throw CommandFailure.cannotRun("Cannot write " + path + ": " + Json.reason(failure) + ".", failure);
        }
    }

    private void map(List<TensorSpec> specs, Map<String, String> metadata) throws IOException {
        byte[] header = header(specs, metadata);
        long dataBegin = SafeTensorsFile.LENGTH.byteSize() + header.length;
        long bytes = dataBegin + specs.stream().mapToLong(TensorSpec::bytes).sum();
        Path folder = path.getParent();
        // A mapped file that outgrows its disk would end the process when it is written to.
        if (folder != null) {
            long free = Files.getFileStore(folder).getUsableSpace();
            if (free < bytes) {
                throw new IOException("it needs " + bytes + " bytes and the disk has " + free + " left");
            }
        }
        try (FileChannel channel = FileChannel.open(
                unfinished, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MemorySegment file = channel.map(MapMode.READ_WRITE, 0, bytes, arena);
            file.set(SafeTensorsFile.LENGTH, 0, header.length);
            MemorySegment.copy(
                    MemorySegment.ofArray(header), 0, file, SafeTensorsFile.LENGTH.byteSize(), header.length);
            long position = dataBegin;
            for (TensorSpec spec : specs) {
                tensors.put(spec.name(), file.asSlice(position, spec.bytes()));
                position += spec.bytes();
            }
        }
    }

    private static byte[] header(List<TensorSpec> specs, Map<String, String> metadata) {
        Map<String, Object> header = new LinkedHashMap<>();
        if (!metadata.isEmpty()) {
            header.put("__metadata__", metadata);
        }
        long position = 0;
        for (TensorSpec spec : specs) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("dtype", FileDType.of(spec.dtype()).name());
            entry.put("shape", spec.shape());
            entry.put("data_offsets", List.of(position, position + spec.bytes()));
            header.put(spec.name(), entry);
            position += spec.bytes();
        }
        String json = Json.line(header);
        // Blanks after the header let the data begin aligned.
        int length = json.getBytes(StandardCharsets.UTF_8).length;
        return (json + " ".repeat(Math.floorMod(-length, ALIGNMENT))).getBytes(StandardCharsets.UTF_8);
    }

    /** Where the tensor's elements go. */
    public MemorySegment tensor(String name) {
        MemorySegment tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException("No tensor '" + name + "' was announced for " + path + ".");
        }
        return tensor;
    }

    /** Everything is written: closing puts the file in its place. */
    public void complete() {
        complete = true;
    }

    /** Puts a complete file in its place and removes an incomplete one. */
    @Override
    public void close() {
        arena.close();
        try {
            if (complete) {
                Files.move(unfinished, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.deleteIfExists(unfinished);
            }
        } catch (IOException failure) {
            throw CommandFailure.cannotRun("Cannot write " + path + ": " + Json.reason(failure) + ".", failure);
        }
    }
}
