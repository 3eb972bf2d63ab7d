package io.lockstep.core.reference;

import io.lockstep.core.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Single elements of a tensor: from memory to fp32, which holds every value of every {@link DType} exactly, and back.
 */
public final class Elements {
    /** The one NaN that is ever written, in bf16, fp16 and fp32. */
    public static final short NAN_BF16 = (short) 0x7FC0;

    public static final short NAN_FP16 = (short) 0x7E00;
    public static final int NAN_FP32 = 0x7FC00000;

    private Elements() {}

    /** The element at an index, exactly. */
    public static float get(DType dtype, MemorySegment tensor, long index) {
        return switch (dtype) {
            case BF16 -> Float.intBitsToFloat(tensor.get(ValueLayout.JAVA_SHORT_UNALIGNED, index * 2) << 16);
            case FP16 -> Float.float16ToFloat(tensor.get(ValueLayout.JAVA_SHORT_UNALIGNED, index * 2));
            case FP32 -> tensor.get(ValueLayout.JAVA_FLOAT_UNALIGNED, index * 4);
        };
    }

    /** Rounds a value to the type and stores it at an index. */
    public static void set(DType dtype, MemorySegment tensor, long index, float value) {
        switch (dtype) {
            case BF16 -> tensor.set(ValueLayout.JAVA_SHORT_UNALIGNED, index * 2, toBf16(value));
            case FP16 -> tensor.set(ValueLayout.JAVA_SHORT_UNALIGNED, index * 2, toFp16(value));
            case FP32 -> tensor.set(ValueLayout.JAVA_INT_UNALIGNED, index * 4, Float.floatToIntBits(value));
        }
    }

    /** The value of the type that is nearest, ties to even; NaN becomes the one NaN. */
    public static float round(DType dtype, float value) {
        return switch (dtype) {
            case BF16 -> Float.intBitsToFloat(toBf16(value) << 16);
            case FP16 -> Float.float16ToFloat(toFp16(value));
            case FP32 -> Float.intBitsToFloat(Float.floatToIntBits(value));
        };
    }

    private static short toBf16(float value) {
        if (Float.isNaN(value)) {
            return NAN_BF16;
        }
        int bits = Float.floatToRawIntBits(value);
        // Just under half of the last place kept, and one more where that place is odd: ties go to even.
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }

    private static short toFp16(float value) {
        return Float.isNaN(value) ? NAN_FP16 : Float.floatToFloat16(value);
    }
}
