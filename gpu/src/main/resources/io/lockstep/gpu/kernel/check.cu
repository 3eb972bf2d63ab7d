// What checks and measures the exchanges on the device itself: tensors made from a seed, the specification without a
// peer, a comparison of every bit, the arithmetic of every number, and a pause. Launched with any number of blocks of
// LS_THREADS threads; nothing here overlaps with the kernel before or behind it.
#include "port.h"
#include "numerics.h"
#include "frame.h"
#include "row.h"
#include "local.h"
#include "arithmetic.h"

// What one thread found to differ, over all comparisons since its memory was zeros.
struct LsDifference {
    u64 bits;
    u64 elements;
    double error; // the largest; infinite where one of the two is no number
    u64 element;  // the first wrong one of the first wrong call, counted over the rows, and where it was found
    u32 call;
    u32 tensor;
    u32 wanted; // its bits
    u32 found;
};

struct LsCheckArgs {
    void *made;
    const void *found;
    const void *wanted;
    u32 *wrong;                // how many threads, or numbers, were found wrong
    LsDifference *differences; // one for each thread of the grid
    u64 key;                   // of the tensor to make
    u64 nanos;                 // to pause
    u32 rows;
    u32 call;   // what is compared, in the words of the host
    u32 tensor;
    u32 unused;
};

// ---- Tensors from a seed ----
//
//   start(row)      = the upper half of mix64(key + row)
//   bits(column)    = mix32(start + column * LS_COLUMN_STEP)
//   value           = a sign, an exponent of -11 to 4 and a fraction cut to the type, out of these bits
//
// An element depends on its place alone, so that every rank makes the inputs of all. io.lockstep.cli.inputs.RandomTensor
// makes the same on the host.
#define LS_COLUMN_STEP 0x9E3779B9u
#define LS_LEAST_EXPONENT (127u - 11u)
#if LS_DTYPE == 0
#define LS_FRACTION 0x7F0000u
#elif LS_DTYPE == 1
#define LS_FRACTION 0x7FE000u
#else
#define LS_FRACTION 0x7FFFFFu
#endif

LS_FN u32 ls_mix32(u32 x) {
    x = (x ^ x >> 16) * 0x85EBCA6Bu;
    x = (x ^ x >> 13) * 0xC2B2AE35u;
    return x ^ x >> 16;
}
LS_FN u64 ls_mix64(u64 x) {
    x = (x ^ x >> 33) * 0xFF51AFD7ED558CCDull;
    x = (x ^ x >> 33) * 0xC4CEB9FE1A85EC53ull;
    return x ^ x >> 33;
}
LS_FN float ls_value(u32 bits) {
    return ls_float((bits & 0x80000000u) | (LS_LEAST_EXPONENT + (bits >> 27 & 15u)) << 23 | (bits & LS_FRACTION));
}

template <bool WHOLE>
LS_FN void ls_make_rows(const LsCheckArgs &a) {
    for (u32 row = ls_block(); row < a.rows; row += ls_blocks()) {
        u32 start = (u32)(ls_mix64(a.key + row) >> 32);
        for (u32 pack = ls_thread(); pack < LS_ROW_PACKS; pack += LS_THREADS) {
            float v[LS_PACK_ELEMENTS];
#pragma unroll
            for (u32 i = 0; i < LS_PACK_ELEMENTS; i++) {
                v[i] = ls_value(ls_mix32(start + (pack * LS_PACK_ELEMENTS + i) * LS_COLUMN_STEP));
            }
            ls_store<WHOLE>(a.made, row, pack, ls_round_numbers(v));
        }
    }
}

// ---- Comparison ----

LS_FN u32 ls_element_bits(const LsPack &p, u32 i) {
#if LS_ELEMENT_BYTES == 2
    return p.w[i / 2] >> (i % 2 * 16) & 0xFFFFu;
#else
    return p.w[i];
#endif
}

LS_FN u32 ls_count_bits(u32 x) {
    x = x - (x >> 1 & 0x55555555u);
    x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
    return ((x + (x >> 4)) & 0x0F0F0F0Fu) * 0x01010101u >> 24;
}

// Two NaNs of different bits, or a NaN where there is a number, are as wrong as can be.
LS_FN double ls_error(float wanted, float found) {
    double error = (double)wanted - (double)found;
    error = error < 0 ? -error : error;
    return error == error ? error : (double)ls_float(0x7F800000u);
}

// A pack that differs: elements behind the row are zeros in both.
LS_RARE void ls_note(const LsCheckArgs &a, LsDifference &mine, u32 row, u32 pack, const LsPack &wanted, const LsPack &found) {
    float w[LS_PACK_ELEMENTS], f[LS_PACK_ELEMENTS];
    ls_unpack(wanted, w);
    ls_unpack(found, f);
    for (u32 i = 0; i < LS_PACK_ELEMENTS; i++) {
        u32 wanted_bits = ls_element_bits(wanted, i), found_bits = ls_element_bits(found, i);
        if (wanted_bits == found_bits) {
            continue;
        }
        u64 element = (u64)row * LS_HIDDEN + pack * LS_PACK_ELEMENTS + i;
        bool earlier = mine.elements == 0 || a.call < mine.call || (a.call == mine.call && element < mine.element);
        if (earlier) {
            mine.element = element;
            mine.call = a.call;
            mine.tensor = a.tensor;
            mine.wanted = wanted_bits;
            mine.found = found_bits;
        }
        double error = ls_error(w[i], f[i]);
        mine.error = error > mine.error ? error : mine.error;
        mine.bits += ls_count_bits(wanted_bits ^ found_bits);
        mine.elements++;
    }
}

template <bool WHOLE>
LS_FN void ls_compare_rows(const LsCheckArgs &a) {
    bool wrong = false;
    for (u32 row = ls_block(); row < a.rows; row += ls_blocks()) {
        for (u32 pack = ls_thread(); pack < LS_ROW_PACKS; pack += LS_THREADS) {
            LsPack wanted = ls_load<WHOLE>(a.wanted, row, pack), found = ls_load<WHOLE>(a.found, row, pack);
            u32 differing = 0;
#pragma unroll
            for (int i = 0; i < 4; i++) {
                differing |= wanted.w[i] ^ found.w[i];
            }
            if (differing != 0) {
                wrong = true;
                ls_note(a, a.differences[(u64)ls_block() * LS_THREADS + ls_thread()], row, pack, wanted, found);
            }
        }
    }
    if (wrong) {
        ls_count(a.wrong);
    }
}

// ---- The kernels ----

#define LS_CHECK(name) LS_KERNEL void LS_BOUNDS(LS_THREADS) name(const LsCheckArgs a)

LS_CHECK(ls_make_any) { ls_make_rows<false>(a); }
LS_CHECK(ls_compare_any) { ls_compare_rows<false>(a); }
LS_CHECK(ls_pause_device) {
    if (ls_block() == 0 && ls_thread() == 0) {
        u64 since = ls_nanos();
        while (ls_nanos() - since < a.nanos) {
            ls_pause();
        }
    }
}
LS_CHECK(ls_arithmetic) {
    u64 step = (u64)ls_blocks() * LS_THREADS;
    for (u64 number = (u64)ls_block() * LS_THREADS + ls_thread(); ls_has_short_ways && number < 1ull << 32; number += step) {
        if (ls_short_way_differs((u32)number)) {
            ls_count(a.wrong);
        }
    }
}
LS_KERNEL void LS_BOUNDS(LS_THREADS) ls_reference_any(LS_ARGS a) {
    LS_SHARED(LsBlock, shared);
    ls_local<false, LS_LOCAL_REFERENCE>(a, shared);
}
#if LS_HIDDEN % LS_PACK_ELEMENTS == 0
LS_CHECK(ls_make) { ls_make_rows<true>(a); }
LS_CHECK(ls_compare) { ls_compare_rows<true>(a); }
LS_KERNEL void LS_BOUNDS(LS_THREADS) ls_reference(LS_ARGS a) {
    LS_SHARED(LsBlock, shared);
    ls_local<true, LS_LOCAL_REFERENCE>(a, shared);
}
#endif
