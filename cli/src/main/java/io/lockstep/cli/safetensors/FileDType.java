package io.lockstep.cli.safetensors;

import io.lockstep.core.DType;
import java.util.Optional;

/** The element types that the format knows. Lockstep computes with three of them. */
enum FileDType {
    BOOL(1),
    U8(1),
    I8(1),
    F8_E4M3(1),
    F8_E5M2(1),
    F8_E8M0(1),
    I16(2),
    U16(2),
    F16(2),
    BF16(2),
    I32(4),
    U32(4),
    F32(4),
    I64(8),
    U64(8),
    F64(8),
    C64(8);

    private final int bytes;

    FileDType(int bytes) {
        this.bytes = bytes;
    }

    int bytes() {
        return bytes;
    }

    /** Ours, where Lockstep computes with it. */
    Optional<DType> dtype() {
        return switch (this) {
            case BF16 -> Optional.of(DType.BF16);
            case F16 -> Optional.of(DType.FP16);
            case F32 -> Optional.of(DType.FP32);
            default -> Optional.empty();
        };
    }

    static FileDType of(DType dtype) {
        return switch (dtype) {
            case BF16 -> BF16;
            case FP16 -> F16;
            case FP32 -> F32;
        };
    }
}
