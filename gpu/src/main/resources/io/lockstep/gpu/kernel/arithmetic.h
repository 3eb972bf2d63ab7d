// The short ways of numerics.h beside the plain ones, for one number: 32 bits are a pair of elements, a sum of squares, and a
// mean of squares.
#ifndef LS_ARITHMETIC_H
#define LS_ARITHMETIC_H

// Whether this device has any.
#if defined(LS_ADD_WORDS) || defined(LS_HAS_INVERSE_ROOT)
constexpr bool ls_has_short_ways = true;
#else
constexpr bool ls_has_short_ways = false;
#endif

// Both elements in both halves of a word.
LS_FN bool ls_pair_differs(u32 pair) {
    LsPack a = {{pair, 0, 0, 0}}, b = {{pair >> 16 | pair << 16, 0, 0, 0}};
    float x[LS_PACK_ELEMENTS], y[LS_PACK_ELEMENTS];
    ls_unpack(a, x);
    ls_unpack(b, y);
#pragma unroll
    for (int i = 0; i < LS_PACK_ELEMENTS; i++) {
        x[i] = x[i] + y[i];
    }
    return ls_canonical(ls_add_numbers(a, b)).w[0] != ls_round(x).w[0];
}

LS_FN bool ls_short_way_differs(u32 number) {
    bool differs = false;
#if defined(LS_ADD_WORDS)
    differs |= ls_pair_differs(number);
#endif
#if defined(LS_HAS_INVERSE_ROOT)
    float value = ls_float(number);
    if (ls_is_usual_sum(value)) {
        differs |= ls_bits(ls_usual_mean(value)) != ls_bits(ls_divide(value, (float)LS_HIDDEN));
    }
    if (ls_is_usual_square(value)) {
        differs |= ls_bits(ls_usual_inverse_root(value)) != ls_bits(ls_reciprocal(ls_root(value)));
    }
#endif
    return differs;
}

#endif
