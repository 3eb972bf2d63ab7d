// The numeric contract (docs/numerics.md): elements to fp32 and back, and the tree of the sum of squares.
//
// Set from outside: LS_DTYPE (0 bf16, 1 fp16, 2 fp32), LS_HIDDEN (elements of a row).
#ifndef LS_NUMERICS_H
#define LS_NUMERICS_H

#if LS_DTYPE == 2
#define LS_PACK_ELEMENTS 4
#define LS_ELEMENT_BYTES 4
#else
#define LS_PACK_ELEMENTS 8
#define LS_ELEMENT_BYTES 2
#endif
// A row in packs, the last one filled up with zeros.
#define LS_ROW_PACKS ((LS_HIDDEN + LS_PACK_ELEMENTS - 1) / LS_PACK_ELEMENTS)
// A partial sum of squares is what 32 threads make of 32 packs.
#define LS_PARTIALS ((LS_ROW_PACKS + 31) / 32)
// The lanes to which blocks of 32 elements fold.
#define LS_LANES 16

// The reserved word of push: a pair of NaNs, or one fp32 NaN, with every bit set. No NaN that the contract writes has
// these bits; an input may, and gets the bits of its neighbour before it is sent, which are those of NaNs too.
#define LS_RESERVED 0xFFFFFFFFu

LS_FN bool ls_arrived(const LsPack &p) {
    return p.w[0] != LS_RESERVED && p.w[1] != LS_RESERVED && p.w[2] != LS_RESERVED && p.w[3] != LS_RESERVED;
}
LS_FN LsPack ls_sendable(LsPack p) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        p.w[i] = ls_smaller(p.w[i], LS_RESERVED - 1);
    }
    return p;
}

LS_FN bool ls_is_nan(float v) { return v != v; }

#if LS_DTYPE == 0
#define LS_NAN 0x7FC0u
LS_FN void ls_unpack(u32 word, float *v) {
    v[0] = ls_float(word << 16);
    v[1] = ls_float(word & 0xFFFF0000u);
}
// A NaN becomes some NaN.
LS_FN u32 ls_round_number(const float *v) {
#if defined(LS_HAS_BF16X2)
    return ls_round_bf16x2(v[0], v[1]);
#else
    u32 low = ls_bits(v[0]), high = ls_bits(v[1]);
    low = ls_is_nan(v[0]) ? LS_NAN : (low + 0x7FFFu + (low >> 16 & 1u)) >> 16;
    high = ls_is_nan(v[1]) ? LS_NAN << 16 : (high + 0x7FFFu + (high >> 16 & 1u)) & 0xFFFF0000u;
    return low | high;
#endif
}
#elif LS_DTYPE == 1
#define LS_NAN 0x7E00u
LS_FN void ls_unpack(u32 word, float *v) {
    v[0] = ls_fp16_to_fp32(word & 0xFFFFu);
    v[1] = ls_fp16_to_fp32(word >> 16);
}
LS_FN u32 ls_round_number(const float *v) { return ls_round_fp16x2(v[0], v[1]); }
#else
#define LS_NAN 0x7FC00000u
LS_FN void ls_unpack(u32 word, float *v) { v[0] = ls_float(word); }
LS_FN u32 ls_round_number(const float *v) { return ls_bits(v[0]); }
#endif

#define LS_WORD_ELEMENTS (LS_PACK_ELEMENTS / 4)

LS_FN void ls_unpack(const LsPack &p, float *v) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        ls_unpack(p.w[i], v + i * LS_WORD_ELEMENTS);
    }
}
// To nearest even; a NaN becomes some NaN.
LS_FN LsPack ls_round_numbers(const float (&v)[LS_PACK_ELEMENTS]) {
    LsPack p;
#pragma unroll
    for (int i = 0; i < 4; i++) {
        p.w[i] = ls_round_number(v + i * LS_WORD_ELEMENTS);
    }
    return p;
}
// The sum of two packs, element by element, rounded to nearest even; a NaN becomes some NaN.
//
// The contract adds in fp32 and rounds that to the type of the elements. fp32 has more than twice as many bits of
// significand as they and two to spare, so that this is the exact sum rounded once, which devices have as an instruction;
// ls_arithmetic asks it of every pair.
#if LS_DTYPE == 0 && defined(LS_HAS_ADD_BF16X2)
#define LS_ADD_WORDS(a, b) ls_add_bf16x2(a, b)
#elif LS_DTYPE == 1 && defined(LS_HAS_ADD_FP16X2)
#define LS_ADD_WORDS(a, b) ls_add_fp16x2(a, b)
#endif
LS_FN LsPack ls_add_numbers(const LsPack &a, const LsPack &b) {
    LsPack p;
#pragma unroll
    for (int i = 0; i < 4; i++) {
#if defined(LS_ADD_WORDS)
        p.w[i] = LS_ADD_WORDS(a.w[i], b.w[i]);
#else
        float x[LS_WORD_ELEMENTS], y[LS_WORD_ELEMENTS];
        ls_unpack(a.w[i], x);
        ls_unpack(b.w[i], y);
#pragma unroll
        for (int e = 0; e < LS_WORD_ELEMENTS; e++) {
            x[e] = x[e] + y[e];
        }
        p.w[i] = ls_round_number(x);
#endif
    }
    return p;
}
// Every NaN becomes the one of the contract.
LS_FN LsPack ls_canonical(LsPack p) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        float v[LS_WORD_ELEMENTS];
        ls_unpack(p.w[i], v);
#if LS_DTYPE == 2
        p.w[i] = ls_is_nan(v[0]) ? LS_NAN : p.w[i];
#else
        p.w[i] = ls_is_nan(v[0]) ? (p.w[i] & 0xFFFF0000u) | LS_NAN : p.w[i];
        p.w[i] = ls_is_nan(v[1]) ? (p.w[i] & 0x0000FFFFu) | LS_NAN << 16 : p.w[i];
#endif
    }
    return p;
}
// The rounding of the contract. NaNs are rare: it asks once for all elements.
LS_FN LsPack ls_round(const float (&v)[LS_PACK_ELEMENTS]) {
    LsPack p = ls_round_numbers(v);
    bool nan = false;
#pragma unroll
    for (int i = 0; i < LS_PACK_ELEMENTS; i++) {
        nan |= ls_is_nan(v[i]);
    }
    return nan ? ls_canonical(p) : p;
}

// The sum of the ranks. Where a norm follows, NaNs are left as they came: the sum of squares tells of them.
LS_FN LsPack ls_round_sum(const float (&v)[LS_PACK_ELEMENTS]) {
#if LS_NORM
    return ls_round_numbers(v);
#else
    return ls_round(v);
#endif
}

// A thread's share of a row's squares, folded with those of the 31 threads beside it. The 32 packs hold whole blocks;
// they are added neighbours first, and as lanes are split between the partners of the first exchanges, four shuffles do.
// Thread t of the 32 then holds the lane ls_lane_of(t).
LS_FN float ls_fold_squares(const float (&v)[LS_PACK_ELEMENTS], u32 t) {
    float p[LS_PACK_ELEMENTS / 2];
#pragma unroll
    for (int i = 0; i < LS_PACK_ELEMENTS / 2; i++) {
        p[i] = v[2 * i] * v[2 * i] + v[2 * i + 1] * v[2 * i + 1];
    }
#if LS_DTYPE == 2
    // Eight threads a block, two lanes each.
    bool upper = t & 8;
    float mine = (upper ? p[1] : p[0]) + ls_shuffle_xor(upper ? p[0] : p[1], 8);
    return mine + ls_shuffle_xor(mine, 16);
#else
    // Four threads a block, four lanes each.
    bool upper = t & 4;
    float a = (upper ? p[2] : p[0]) + ls_shuffle_xor(upper ? p[0] : p[2], 4);
    float b = (upper ? p[3] : p[1]) + ls_shuffle_xor(upper ? p[1] : p[3], 4);
    bool second = t & 8;
    float mine = (second ? b : a) + ls_shuffle_xor(second ? a : b, 8);
    return mine + ls_shuffle_xor(mine, 16);
#endif
}
LS_FN u32 ls_lane_of(u32 t) {
#if LS_DTYPE == 2
    return 2 * (t & 7) + (t >> 3 & 1);
#else
    return 4 * (t & 3) + 2 * (t >> 2 & 1) + (t >> 3 & 1);
#endif
}

// The perfect tree over `count` partials (a power of two) from `first` on; those that a row does not have are +0 and
// are left out, which changes no bit.
template <int COUNT>
LS_FN float ls_tree(const float *lane, int first) {
    if constexpr (COUNT == 1) {
        return first < LS_PARTIALS ? lane[first * LS_LANES] : 0.0f;
    } else {
        return ls_tree<COUNT / 2>(lane, first) + ls_tree<COUNT / 2>(lane, first + COUNT / 2);
    }
}
// The partials filled up to a power of two.
#define LS_FILL(n, by) ((n) | (n) >> by)
#define LS_FULL_PARTIALS (LS_FILL(LS_FILL(LS_FILL(LS_FILL(LS_PARTIALS - 1, 1), 2), 4), 8) + 1)

// From the partials in shared memory to the sum, by 32 threads.
LS_FN float ls_sum_partials(const float *partials, u32 t) {
    constexpr int count = LS_FULL_PARTIALS;
    const float *lane = partials + (t & (LS_LANES - 1));
    float sum;
    if constexpr (count <= 16) {
        // Both halves of the 32 threads do the same: a shuffle would take longer than the other half of the loads.
        sum = ls_tree<count>(lane, 0);
    } else {
        sum = ls_tree<count / 2>(lane, t & 16 ? count / 2 : 0);
        sum = sum + ls_shuffle_xor(sum, 16);
    }
#pragma unroll
    for (int distance = 1; distance < LS_LANES; distance *= 2) {
        sum = sum + ls_shuffle_xor(sum, distance);
    }
    return sum;
}

LS_FN bool ls_is_finite(float v) { return (ls_bits(v) & 0x7F800000u) != 0x7F800000u; }

// What a row is multiplied by, of any sum of squares.
LS_FN float ls_scale(float sum_of_squares, float epsilon) {
    return ls_reciprocal(ls_root(ls_divide(sum_of_squares, (float)LS_HIDDEN) + epsilon));
}
LS_RARE float ls_scale_rarely(float sum_of_squares, float epsilon) { return ls_scale(sum_of_squares, epsilon); }

// The same by a shorter way, without a branch, where everything is far from the limits of the normal numbers: one warp does
// this while all others wait. Each step is rounded correctly, as the plain one is, which ls_arithmetic asks of every number.
#if defined(LS_HAS_INVERSE_ROOT)
// By the constant's reciprocal and the exact remainder.
LS_FN float ls_usual_mean(float sum_of_squares) {
    constexpr float length = (float)LS_HIDDEN;
    constexpr float reciprocal = 1.0f / length;
    float quotient = sum_of_squares * reciprocal;
    return ls_fused(ls_fused(-quotient, length, sum_of_squares), reciprocal, quotient);
}
// One approximation serves the root and, corrected twice, the root's reciprocal: but for a root of ones alone.
LS_FN float ls_usual_inverse_root(float square) {
    float near = ls_inverse_root_nearly(square);
    float root = square * near;
    root = ls_fused(ls_fused(-root, root, square), 0.5f * near, root);
    near = ls_fused(near, ls_fused(-root, near, 1.0f), near);
    return ls_fused(near, ls_fused(-root, near, 1.0f), near);
}
LS_FN bool ls_is_usual_sum(float sum_of_squares) { return (sum_of_squares > 1e-20f && sum_of_squares < 1e30f) || ls_bits(sum_of_squares) == 0; }
LS_FN bool ls_is_usual_square(float square) {
    return square > 1e-30f && square < 1e30f && (ls_bits(square) & 0x7FFFFEu) != 0x7FFFFEu;
}
#endif
// What is no usual row has no usual scale: the value is then not to be taken.
LS_FN float ls_usual_scale(float sum_of_squares, float epsilon, bool &usual) {
#if defined(LS_HAS_INVERSE_ROOT)
    float square = ls_usual_mean(sum_of_squares) + epsilon;
    usual = ls_is_usual_sum(sum_of_squares) && ls_is_usual_square(square);
    return ls_usual_inverse_root(square);
#else
    float scale = ls_scale(sum_of_squares, epsilon);
    usual = ls_is_finite(sum_of_squares) && ls_is_finite(scale);
    return scale;
#endif
}

#endif
