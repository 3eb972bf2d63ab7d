package io.lockstep.cli.safetensors;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Json;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A file of tensors, mapped for reading. */
public final class SafeTensorsFile {
    static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The format's own bound: a header larger than this is no header. */
    private static final long MAX_HEADER_BYTES = 100_000_000;

    private final Path path;
    private final Header header;
    private final MemorySegment data;

    private SafeTensorsFile(Path path, Header header, MemorySegment data) {
        this.path = path;
        this.header = header;
        this.data = data;
    }

    /**
     * Maps a file for as long as the arena lives.
     *
     * @throws CommandFailure if it cannot be read or is malformed; it says where
     */
    public static SafeTensorsFile open(Path path, Arena arena) {
        if (Files.isDirectory(path)) {
            throw CommandFailure.usage("Cannot read " + path + ": it is a folder.");
        }
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            if (channel.size() < LENGTH.byteSize()) {
                throw new MalformedFileException("it has " + channel.size()
                        + " bytes, and the length of the header alone takes " + LENGTH.byteSize());
            }
            MemorySegment file = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
            long headerBytes = file.get(LENGTH, 0);
            long most = Math.min(file.byteSize() - LENGTH.byteSize(), MAX_HEADER_BYTES);
            if (headerBytes < 2 || headerBytes > most) {
                throw new MalformedFileException("its first eight bytes say that the header has "
                        + Long.toUnsignedString(headerBytes) + " bytes, where 2 to " + most + " are possible");
            }
            byte[] json = file.asSlice(LENGTH.byteSize(), headerBytes).toArray(ValueLayout.JAVA_BYTE);
            MemorySegment data = file.asSlice(LENGTH.byteSize() + headerBytes);
            return new SafeTensorsFile(path, Header.parse(json, data.byteSize()), data);
        } catch (MalformedFileException malformed) {
            throw CommandFailure.usage(path + " is no safetensors file: " + malformed.getMessage() + ".");
        } catch (IOException failure) {
            throw CommandFailure.usage("Cannot read " + path + ": " + Json.reason(failure) + ".");
        }
    }

    /** The names of all tensors, in the order of their data. */
    public Set<String> names() {
        return header.entries().keySet();
    }

    /** Free text by name. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /**
     * The tensor with this name, or none.
     *
     * @throws CommandFailure if Lockstep does not compute with its type
     */
    public Optional<Tensor> tensor(String name) {
        return Optional.ofNullable(header.entries().get(name)).map(entry -> {
            TensorSpec spec = new TensorSpec(
                    name,
                    entry.dtype()
                            .dtype()
                            .orElseThrow(() -> CommandFailure.usage("The tensor '" + name + "' in " + path
                                    + " is of type " + entry.dtype() + ": Lockstep computes with BF16, F16 and F32.")),
                    entry.shape());
            return new Tensor(spec, data.asSlice(entry.begin(), entry.end() - entry.begin()));
        });
    }
}
