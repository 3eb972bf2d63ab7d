// The words of port.h on the host, for the tests that need no GPU. Compiled without contraction and without fast math:
// every operation is IEEE and rounded by itself.
// Set from outside: LS_WAVE (32 or 64).
#include "simt.h"

#define LS_FN static inline
#define LS_KERNEL extern "C"
#define LS_RARE static __attribute__((noinline))
#define LS_BOUNDS(threads)
#define LS_SHARED(type, name) type &name = *(type *)simt::here.shared
#define LS_ARGS const LsArgs
// What the lanes of a wave read by one instruction, of which they all know the same.
#define LS_WAVE_UNIFORM(value) simt::uniform(value)

LS_FN u32 ls_smaller(u32 a, u32 b) { return a < b ? a : b; }
LS_FN u32 ls_thread() { return simt::here.thread; }
LS_FN u32 ls_block() { return simt::here.block; }
LS_FN u32 ls_blocks() { return simt::here.blocks; }

LS_FN void ls_syncthreads(int line = __builtin_LINE()) { simt::syncthreads(line); }
LS_FN void ls_raise(u32 *shared) { __atomic_store_n(shared, 1u, __ATOMIC_RELAXED); }
// A wave of 64 may hold lanes that pass and lanes that wait: it meets the others once.
LS_FN void ls_meet(bool waits, int line = __builtin_LINE()) { simt::meet(line, waits || LS_WAVE == 64); }
LS_FN u32 ls_anew(u32 v) { return v; }
LS_FN void ls_in_order() {}
// For all 32 neighbours at once, or for each lane by itself: devices of either kind exist.
LS_FN bool ls_all(bool ended) { return LS_WAVE == 32 ? simt::all(ended) : ended; }
LS_FN void ls_wave_drain() {}
LS_FN void ls_acquire_all() {}
LS_FN void ls_wait_for_previous_kernel() {}
LS_FN void ls_let_next_kernel_start() {}

LS_FN void ls_fence_release_sys() { simt::fence(true, false); }
LS_FN void ls_fence_acquire_sys() { simt::fence(false, true); }
LS_FN void ls_fence_sc_sys() { simt::fence(true, true); }
// What is ordered within a device is not ordered for a peer, and all flags are a peer's.
LS_FN void ls_fence_release_gpu() {}
LS_FN void ls_fence_acquire_gpu() {}

LS_FN void ls_store_relaxed_sys(u32 *at, u32 v) {
    simt::may_break();
    simt::store_flag(at, v, false);
}
LS_FN void ls_store_release_sys(u32 *at, u32 v) {
    simt::may_break();
    simt::store_flag(at, v, true);
}
LS_FN u32 ls_load_relaxed_sys(const u32 *at) { return simt::load_flag(at, false); }
LS_FN u32 ls_load_acquire_sys(const u32 *at) { return simt::load_flag(at, true); }
LS_FN u32 ls_load_relaxed_gpu(const u32 *at) { return simt::load_flag(at, false); }
LS_FN u32 ls_load_acquire_gpu(const u32 *at) { return simt::load_flag(at, false); }

LS_FN void ls_store_word64_relaxed_sys(u64 *at, u64 v) {
    simt::may_break();
    __atomic_store_n(at, v, __ATOMIC_RELAXED);
}
LS_FN u64 ls_load_word64_relaxed_sys(const u64 *at) { return __atomic_load_n(at, __ATOMIC_RELAXED); }
LS_FN void ls_store_words_relaxed_sys(void *at, const LsPack &p) {
    for (int i = 0; i < 4; i++) {
        simt::may_break(); // each word is by itself
        if (simt::late_stores) {
            simt::store_late((u32 *)at + i, p.w[i]);
        } else {
            __atomic_store_n((u32 *)at + i, p.w[i], __ATOMIC_RELAXED);
        }
    }
}
LS_FN LsPack ls_load_words_relaxed_sys(const void *at) {
    LsPack p;
    for (int i = 0; i < 4; i++) {
        p.w[i] = simt::late_stores ? simt::load_late((const u32 *)at + i) : __atomic_load_n((const u32 *)at + i, __ATOMIC_RELAXED);
    }
    return p;
}

// Ordered, which the kernels' relaxed counter is not: a block counts when its loads of the state have given the values
// that it goes on with, a dependency that neither C++ nor ThreadSanitizer knows.
LS_FN u32 ls_count(u32 *at) { return __atomic_fetch_add(at, 1u, __ATOMIC_ACQ_REL); }
LS_FN u32 ls_claim(u32 *at) { return __atomic_exchange_n(at, 1u, __ATOMIC_RELAXED); }

LS_FN u64 ls_nanos() { return simt::nanos(); }
LS_FN void ls_pause() { simt::pause(); }

LS_FN float ls_shuffle_xor(float v, int mask) { return simt::shuffle_xor(v, (u32)mask); }
LS_FN u32 ls_bits(float v) { return __builtin_bit_cast(u32, v); }
LS_FN float ls_float(u32 bits) { return __builtin_bit_cast(float, bits); }
LS_FN float ls_divide(float a, float b) { return a / b; }
LS_FN float ls_reciprocal(float a) { return 1.0f / a; }
LS_FN float ls_root(float a) { return __builtin_sqrtf(a); }
LS_FN float ls_fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
LS_FN float ls_fp16_to_fp32(u32 half) { return (float)__builtin_bit_cast(_Float16, (u16)half); }
LS_FN u32 ls_round_fp16x2(float low, float high) {
    return (u32)__builtin_bit_cast(u16, (_Float16)low) | (u32)__builtin_bit_cast(u16, (_Float16)high) << 16;
}
