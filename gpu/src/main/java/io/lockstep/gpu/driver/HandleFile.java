package io.lockstep.gpu.driver;

import io.lockstep.core.posix.Descriptor;
import io.lockstep.core.posix.Memfd;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;

/** A driver's handle for memory as the content of an anonymous file, whose descriptor another process can be given. */
public final class HandleFile {
    private HandleFile() {}

    /**
     * A new file with this content; the caller closes the descriptor.
     *
     * @param name by which it is told from other descriptors
     */
    public static int write(String name, MemorySegment handle) {
        Descriptor file = Memfd.create(name);
        try (Arena arena = Arena.ofConfined()) {
            Memfd.resize(file, handle.byteSize());
            Memfd.map(file, 0, handle.byteSize(), arena).copyFrom(handle);
            return file.number();
        } catch (RuntimeException | Error e) {
            file.close();
            throw e;
        }
    }

    /** Whether a descriptor is of a file with this name. */
    public static boolean is(int descriptor, String name) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString()
                    .startsWith("/memfd:" + name + " ");
        } catch (IOException | UnsupportedOperationException unknown) {
            return false;
        }
    }

    /** Reads what was written. The descriptor stays the caller's. */
    public static void read(int descriptor, MemorySegment handle) {
        try (Arena arena = Arena.ofConfined()) {
            handle.copyFrom(Memfd.map(new Descriptor(descriptor), 0, handle.byteSize(), arena));
        }
    }
}
