package io.lockstep.core.cpu;

import io.lockstep.core.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Where a tensor of a test lies. */
enum Place {
    NATIVE {
        @Override
        MemorySegment allocate(Arena arena, DType dtype, long elements) {
            return arena.allocate(elements * dtype.bytes(), 64);
        }
    },
    /** At an odd address. */
    UNALIGNED {
        @Override
        MemorySegment allocate(Arena arena, DType dtype, long elements) {
            return arena.allocate(elements * dtype.bytes() + 1, 64).asSlice(1);
        }
    },
    /** In an array of the type's own width, not from its beginning. */
    HEAP {
        @Override
        MemorySegment allocate(Arena arena, DType dtype, long elements) {
            int length = Math.toIntExact(elements) + 3;
            MemorySegment array = dtype == DType.FP32
                    ? MemorySegment.ofArray(new float[length])
                    : MemorySegment.ofArray(new short[length]);
            return array.asSlice(3L * dtype.bytes());
        }
    },
    /** In an array of bytes, at an odd offset. */
    HEAP_BYTES {
        @Override
        MemorySegment allocate(Arena arena, DType dtype, long elements) {
            return MemorySegment.ofArray(new byte[Math.toIntExact(elements * dtype.bytes()) + 1])
                    .asSlice(1);
        }
    };

    abstract MemorySegment allocate(Arena arena, DType dtype, long elements);
}
