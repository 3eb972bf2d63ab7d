// The vendor's words for the few things the kernels need: threads, barriers, fences, ordered accesses, rounding.
// Nothing else in the kernels names a vendor. Compiled by NVRTC and nvcc, by hipRTC and clang for AMD GPUs, and by g++
// against a shim of host threads (LS_HOST).
// Set from outside: LS_ROW_WARPS (32 threads each that share a row), and for AMD GPUs LS_WAVE, the threads of a wave: 32
// or 64. The kernels shuffle among 32 neighbours only.
#ifndef LS_PORT_H
#define LS_PORT_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

// The threads that hold a row, and one warp beside them that exchanges flags and headers and touches no data.
#define LS_ROW_THREADS (LS_ROW_WARPS * 32)
#define LS_THREADS (LS_ROW_THREADS + 32)

// Sixteen bytes, the most a thread moves in one access.
struct alignas(16) LsPack {
    u32 w[4];
};

#if defined(LS_HOST)
#include "shim.h"
#elif defined(__CUDACC__)

#define LS_FN static __device__ __forceinline__
// What is rarely needed stays out of the way: a call runs through its code once, and is as fast as that is short. Not
// static: nvcc would name it after the folder that it compiles in.
#define LS_RARE __device__ __noinline__
#define LS_KERNEL extern "C" __global__
// Two blocks a multiprocessor for two ranks, so that one works while the other waits for words; for more ranks or packs,
// registers would spill to make room for the second.
#define LS_BOUNDS(threads) __launch_bounds__(threads, (threads) <= 448 && LS_RANKS == 2 && LS_HELD == 1 ? 2 : 1)
// The compiler is not to know the address: it would else compute it again before every access.
#define LS_SHARED(type, name) \
    __shared__ type name##_memory; \
    type &name = LS_TIGHT ? name##_memory : ls_shared_anew(name##_memory)
#define LS_ARGS const __grid_constant__ LsArgs
// Names the access that follows, as a comment of the PTX: no instruction, but inspection finds the place.
#define LS_MARK(what, at) asm volatile("// ls_mark." what)

LS_FN u32 ls_smaller(u32 a, u32 b) { return min(a, b); }
LS_FN u32 ls_thread() { return threadIdx.x; }
LS_FN u32 ls_block() { return blockIdx.x; }
LS_FN u32 ls_blocks() { return gridDim.x; }
LS_FN void ls_syncthreads() { __syncthreads(); }
// Sets a word of the block; any number of its threads may at once.
LS_FN void ls_raise(u32 *shared) {
    asm volatile("st.relaxed.cta.shared.u32 [%0], 1;" ::"r"((u32)__cvta_generic_to_shared(shared)) : "memory");
}
// A point that most threads of a block pass without waiting, and some await: the same choice in all of a warp.
LS_FN void ls_meet(bool waits) {
    if (waits) {
        asm volatile("bar.sync 1, %0;" ::"n"(LS_THREADS) : "memory");
    } else {
        asm volatile("bar.arrive 1, %0;" ::"n"(LS_THREADS) : "memory");
    }
}
LS_FN void ls_wave_drain() {}
LS_FN void ls_acquire_all() {}
// A value that the compiler must take as new: what is made of it again is not kept from before.
LS_FN u32 ls_anew(u32 v) {
    asm volatile("" : "+r"(v));
    return v;
}
template <class T>
LS_FN T &ls_shared_anew(T &at) {
    return *(T *)__cvta_shared_to_generic(ls_anew((u32)__cvta_generic_to_shared(&at)));
}
// What is asked for behind it is not loaded before it: a compiler that asks for everything at once runs out of registers.
LS_FN void ls_in_order() { asm volatile("" ::: "memory"); }
// Whether a loop in which all threads of a warp wait has come to its end. Threads that leave one by one would take long to
// meet again, so it ends for all of them at once.
LS_FN bool ls_all(bool ended) { return __all_sync(0xFFFFFFFFu, ended); }

// The end of every earlier kernel on the stream, its memory included: nothing is read or written before it.
LS_FN void ls_wait_for_previous_kernel() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
// The next kernel may be placed on the device; it waits as above before it touches memory.
LS_FN void ls_let_next_kernel_start() {
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

#if defined(LS_PTX) && LS_PTX < 86
#define LS_PTX_RELEASE "acq_rel"
#define LS_PTX_ACQUIRE "acq_rel"
#else
#define LS_PTX_RELEASE "release"
#define LS_PTX_ACQUIRE "acquire"
#endif
LS_FN void ls_fence_release_sys() { asm volatile("fence." LS_PTX_RELEASE ".sys;" ::: "memory"); }
LS_FN void ls_fence_acquire_sys() { asm volatile("fence." LS_PTX_ACQUIRE ".sys;" ::: "memory"); }
LS_FN void ls_fence_release_gpu() { asm volatile("fence." LS_PTX_RELEASE ".gpu;" ::: "memory"); }
LS_FN void ls_fence_acquire_gpu() { asm volatile("fence." LS_PTX_ACQUIRE ".gpu;" ::: "memory"); }
LS_FN void ls_fence_sc_sys() { asm volatile("fence.sc.sys;" ::: "memory"); }

LS_FN void ls_store_relaxed_sys(u32 *at, u32 v) { asm volatile("st.relaxed.sys.global.u32 [%0], %1;" ::"l"(at), "r"(v) : "memory"); }
LS_FN void ls_store_release_sys(u32 *at, u32 v) { asm volatile("st.release.sys.global.u32 [%0], %1;" ::"l"(at), "r"(v) : "memory"); }
LS_FN u32 ls_load_relaxed_sys(const u32 *at) {
    u32 v;
    asm volatile("ld.relaxed.sys.global.u32 %0, [%1];" : "=r"(v) : "l"(at) : "memory");
    return v;
}
LS_FN u32 ls_load_acquire_sys(const u32 *at) {
    u32 v;
    asm volatile("ld.acquire.sys.global.u32 %0, [%1];" : "=r"(v) : "l"(at) : "memory");
    return v;
}
LS_FN u32 ls_load_relaxed_gpu(const u32 *at) {
    u32 v;
    asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(v) : "l"(at) : "memory");
    return v;
}
LS_FN u32 ls_load_acquire_gpu(const u32 *at) {
    u32 v;
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(v) : "l"(at) : "memory");
    return v;
}
LS_FN void ls_store_word64_relaxed_sys(u64 *at, u64 v) { asm volatile("st.relaxed.sys.global.u64 [%0], %1;" ::"l"(at), "l"(v) : "memory"); }
LS_FN u64 ls_load_word64_relaxed_sys(const u64 *at) {
    u64 v;
    asm volatile("ld.relaxed.sys.global.u64 %0, [%1];" : "=l"(v) : "l"(at) : "memory");
    return v;
}
// Four words, each atomic by itself.
LS_FN void ls_store_words_relaxed_sys(void *at, const LsPack &p) {
    asm volatile("st.relaxed.sys.global.v4.u32 [%0], {%1, %2, %3, %4};" ::"l"(at), "r"(p.w[0]), "r"(p.w[1]), "r"(p.w[2]), "r"(p.w[3]) : "memory");
}
LS_FN LsPack ls_load_words_relaxed_sys(const void *at) {
    LsPack p;
    asm volatile("ld.relaxed.sys.global.v4.u32 {%0, %1, %2, %3}, [%4];" : "=r"(p.w[0]), "=r"(p.w[1]), "=r"(p.w[2]), "=r"(p.w[3]) : "l"(at) : "memory");
    return p;
}

// One counter of the device, and a word that only the first one gets as zero.
LS_FN u32 ls_count(u32 *at) { return atomicAdd(at, 1u); }
LS_FN u32 ls_claim(u32 *at) { return atomicExch(at, 1u); }

LS_FN u64 ls_nanos() {
    u64 t;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(t));
    return t;
}
LS_FN void ls_pause() {}

LS_FN float ls_shuffle_xor(float v, int mask) { return __shfl_xor_sync(0xFFFFFFFFu, v, mask); }
LS_FN u32 ls_bits(float v) { return __float_as_uint(v); }
LS_FN float ls_float(u32 bits) { return __uint_as_float(bits); }
LS_FN float ls_divide(float a, float b) { return __fdiv_rn(a, b); }
LS_FN float ls_reciprocal(float a) { return __frcp_rn(a); }
LS_FN float ls_root(float a) { return __fsqrt_rn(a); }
// Nearly 1/√a, for normal numbers: where ls_arithmetic has found that it is near enough.
#if __CUDA_ARCH__ == 900
#define LS_HAS_INVERSE_ROOT 1
#endif
LS_FN float ls_inverse_root_nearly(float a) {
    float v;
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(v) : "f"(a));
    return v;
}
// a·b + c with one rounding: only where the contract's own operations are made of it.
LS_FN float ls_fused(float a, float b, float c) { return __fmaf_rn(a, b, c); }
LS_FN float ls_fp16_to_fp32(u32 half) {
    float v;
    asm("cvt.f32.f16 %0, %1;" : "=f"(v) : "h"((u16)half));
    return v;
}
// Two values in one word, the first one in the lower half; a NaN becomes some NaN.
LS_FN u32 ls_round_fp16x2(float low, float high) {
    u32 v;
    asm("{.reg .f16 a, b;\n\tcvt.rn.f16.f32 a, %1;\n\tcvt.rn.f16.f32 b, %2;\n\tmov.b32 %0, {a, b};}" : "=r"(v) : "f"(low), "f"(high));
    return v;
}
// Two sums in one word, rounded once; a NaN becomes some NaN.
#define LS_HAS_ADD_FP16X2 1
LS_FN u32 ls_add_fp16x2(u32 a, u32 b) {
    u32 v;
    asm("add.rn.f16x2 %0, %1, %2;" : "=r"(v) : "r"(a), "r"(b));
    return v;
}
#if __CUDA_ARCH__ >= 900
#define LS_HAS_ADD_BF16X2 1
LS_FN u32 ls_add_bf16x2(u32 a, u32 b) {
    u32 v;
    asm("add.rn.bf16x2 %0, %1, %2;" : "=r"(v) : "r"(a), "r"(b));
    return v;
}
#endif
#define LS_HAS_BF16X2 1
LS_FN u32 ls_round_bf16x2(float low, float high) {
    u32 v;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(v) : "f"(high), "f"(low));
    return v;
}

#else // clang for AMD GPUs, and hipRTC

#define LS_FN static inline __attribute__((device, always_inline))
// Inlined all the same: a call would take scratch memory.
#define LS_RARE LS_FN
#define LS_KERNEL extern "C" __attribute__((global))
// A bound alone would leave the size open.
#define LS_BOUNDS(threads) __attribute__((amdgpu_flat_work_group_size(threads, threads)))
#define LS_SHARED(type, name) __attribute__((shared)) type name
#define LS_ARGS const LsArgs
// Without it a pointer may be to any memory, and its accesses become flat ones.
#define LS_GLOBAL __attribute__((address_space(1)))
// A branch on such a value is one of the whole wave: no barrier is reached by a wave of which no thread is left.
#define LS_WAVE_UNIFORM(value) ((u32)__builtin_amdgcn_readfirstlane((int)(value)))
#if LS_ROW_WARPS * 32 % LS_WAVE == 0
#define LS_ROLE(value) LS_WAVE_UNIFORM(value)
#endif

// Names the access to an address that follows, as a symbol of the code object: no instruction, but inspection finds the
// place. The address is an operand, so that nothing is loaded for it between the two.
#define LS_MARK(what, at) asm volatile("ls_mark." what ".%=:" ::"v"(at) : "memory")

LS_FN u32 ls_smaller(u32 a, u32 b) { return a < b ? a : b; }
LS_FN u32 ls_thread() { return __builtin_amdgcn_workitem_id_x(); }
LS_FN u32 ls_block() { return __builtin_amdgcn_workgroup_id_x(); }
// The dispatch packet has the grid's size in threads.
LS_FN u32 ls_blocks() { return ((const __attribute__((address_space(4))) u32 *)__builtin_amdgcn_dispatch_ptr())[3] / LS_THREADS; }

// A wave's own stores and loads are complete: a work-group barrier waits for none of them.
LS_FN void ls_wave_drain() {
#if defined(__GFX12__)
    asm volatile("s_wait_storecnt 0x0\n\ts_wait_loadcnt 0x0" ::: "memory");
#elif defined(__GFX11__) || defined(__GFX10__)
    asm volatile("s_waitcnt vmcnt(0)\n\ts_waitcnt_vscnt null, 0x0" ::: "memory");
#else
    asm volatile("s_waitcnt vmcnt(0)" ::: "memory");
#endif
}
LS_FN void ls_syncthreads() {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
    __builtin_amdgcn_s_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}
// All wait: a wave of 64 may hold threads of both kinds, and must come to the barrier once.
LS_FN void ls_meet(bool) { ls_syncthreads(); }
LS_FN void ls_raise(u32 *shared) { __hip_atomic_store(shared, 1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_WORKGROUP); }
LS_FN u32 ls_anew(u32 v) {
    asm volatile("" : "+v"(v));
    return v;
}
LS_FN void ls_in_order() { asm volatile("" ::: "memory"); }
LS_FN bool ls_all(bool ended) { return ended; }
LS_FN void ls_acquire_all() { __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, ""); }
LS_FN void ls_wait_for_previous_kernel() {}
LS_FN void ls_let_next_kernel_start() {}

// The wait behind the write-back is written out: clang 19 to 22 leave it away where the wave itself has stored nothing.
LS_FN void ls_fence_release_sys() {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "");
    ls_wave_drain();
}
LS_FN void ls_fence_acquire_sys() { __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, ""); }
LS_FN void ls_fence_release_gpu() {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "agent");
    ls_wave_drain();
}
LS_FN void ls_fence_acquire_gpu() { __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "agent"); }
LS_FN void ls_fence_sc_sys() {
    __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "");
    ls_wave_drain();
}

LS_FN void ls_store_relaxed_sys(u32 *at, u32 v) { __hip_atomic_store((LS_GLOBAL u32 *)at, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM); }
LS_FN void ls_store_release_sys(u32 *at, u32 v) { __hip_atomic_store((LS_GLOBAL u32 *)at, v, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_SYSTEM); }
LS_FN u32 ls_load_relaxed_sys(const u32 *at) { return __hip_atomic_load((LS_GLOBAL u32 *)at, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM); }
LS_FN u32 ls_load_acquire_sys(const u32 *at) { return __hip_atomic_load((LS_GLOBAL u32 *)at, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_SYSTEM); }
LS_FN u32 ls_load_relaxed_gpu(const u32 *at) { return __hip_atomic_load((LS_GLOBAL u32 *)at, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT); }
LS_FN u32 ls_load_acquire_gpu(const u32 *at) { return __hip_atomic_load((LS_GLOBAL u32 *)at, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT); }
LS_FN void ls_store_word64_relaxed_sys(u64 *at, u64 v) { __hip_atomic_store((LS_GLOBAL u64 *)at, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM); }
LS_FN u64 ls_load_word64_relaxed_sys(const u64 *at) { return __hip_atomic_load((LS_GLOBAL u64 *)at, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM); }

#if defined(__GFX9__) && __has_builtin(__builtin_amdgcn_make_buffer_rsrc)
// There is no atomic of sixteen bytes. A buffer access of them carries the scope as an atomic does, and each of its words
// is one access; the compiler knows nothing of that, hence the asm statements, which it moves no access across. The
// buffer begins at the first active thread's address, which is the lowest: threads of a wave access one row in order.
#if defined(__gfx90a__)
#define LS_STORE_SYSTEM 0
#define LS_LOAD_SYSTEM 1 // glc
#else
#define LS_STORE_SYSTEM 17 // sc0 sc1
#define LS_LOAD_SYSTEM 17
#endif
typedef u32 LsVector __attribute__((ext_vector_type(4)));
struct LsBuffer {
    __amdgpu_buffer_rsrc_t buffer;
    int offset;
};
LS_FN LsBuffer ls_buffer(const void *at) {
    u64 address = (u64)at;
    u64 base = (u64)LS_WAVE_UNIFORM(address >> 32) << 32 | LS_WAVE_UNIFORM(address);
    // Raw: no stride, no bound below 4 GiB, elements of 32 bits.
    return LsBuffer{__builtin_amdgcn_make_buffer_rsrc((void *)base, 0, 0xFFFFFFFFu, 0x00020000), (int)(address - base)};
}
LS_FN void ls_store_words_relaxed_sys(void *at, const LsPack &p) {
    LsBuffer to = ls_buffer(at);
    LS_MARK("send", to.offset);
    __builtin_amdgcn_raw_buffer_store_b128(LsVector{p.w[0], p.w[1], p.w[2], p.w[3]}, to.buffer, to.offset, 0, LS_STORE_SYSTEM);
    asm volatile("" ::: "memory");
}
LS_FN LsPack ls_load_words_relaxed_sys(const void *at) {
    LsBuffer from = ls_buffer(at);
    LS_MARK("receive", from.offset);
    LsVector v = __builtin_amdgcn_raw_buffer_load_b128(from.buffer, from.offset, 0, LS_LOAD_SYSTEM);
    asm volatile("" ::: "memory");
    return LsPack{{v.x, v.y, v.z, v.w}};
}
#else
// Two accesses of eight bytes, which is more than the protocol asks for.
LS_FN void ls_store_words_relaxed_sys(void *at, const LsPack &p) {
    LS_MARK("send", at);
    ls_store_word64_relaxed_sys((u64 *)at, (u64)p.w[1] << 32 | p.w[0]);
    ls_store_word64_relaxed_sys((u64 *)at + 1, (u64)p.w[3] << 32 | p.w[2]);
}
LS_FN LsPack ls_load_words_relaxed_sys(const void *at) {
    LS_MARK("receive", at);
    u64 low = ls_load_word64_relaxed_sys((const u64 *)at), high = ls_load_word64_relaxed_sys((const u64 *)at + 1);
    return LsPack{{(u32)low, (u32)(low >> 32), (u32)high, (u32)(high >> 32)}};
}
#endif

LS_FN u32 ls_count(u32 *at) { return __hip_atomic_fetch_add((LS_GLOBAL u32 *)at, 1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT); }
LS_FN u32 ls_claim(u32 *at) { return __hip_atomic_exchange((LS_GLOBAL u32 *)at, 1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT); }

// A constant clock: of 25 MHz up to gfx90a, of 100 MHz since.
#if defined(__GFX9__) && !defined(__gfx942__) && !defined(__gfx950__)
#define LS_TICK_NANOS 40
#else
#define LS_TICK_NANOS 10
#endif
#if __has_builtin(__builtin_readsteadycounter)
LS_FN u64 ls_nanos() { return __builtin_readsteadycounter() * LS_TICK_NANOS; }
#else
LS_FN u64 ls_nanos() { return __builtin_amdgcn_s_memrealtime() * LS_TICK_NANOS; }
#endif
LS_FN void ls_pause() { __builtin_amdgcn_s_sleep(1); }

LS_FN u32 ls_bits(float v) { return __builtin_bit_cast(u32, v); }
LS_FN float ls_float(u32 bits) { return __builtin_bit_cast(float, bits); }
LS_FN float ls_shuffle_xor(float v, int mask) {
    u32 lane = __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u));
    return ls_float(__builtin_amdgcn_ds_bpermute((int)((lane ^ (u32)mask) << 2), (int)ls_bits(v)));
}
LS_FN float ls_divide(float a, float b) { return a / b; }
LS_FN float ls_reciprocal(float a) { return 1.0f / a; }
LS_FN float ls_root(float a) { return __builtin_sqrtf(a); }
LS_FN float ls_fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
LS_FN float ls_fp16_to_fp32(u32 half) { return (float)__builtin_bit_cast(_Float16, (u16)half); }
LS_FN u32 ls_round_fp16x2(float low, float high) {
    return (u32)__builtin_bit_cast(u16, (_Float16)low) | (u32)__builtin_bit_cast(u16, (_Float16)high) << 16;
}
#endif

#ifndef LS_MARK
#define LS_MARK(what, at)
#endif
// What every thread of a wave has alike; and whether a thread holds rows, where no wave has threads of both kinds.
#ifndef LS_WAVE_UNIFORM
#define LS_WAVE_UNIFORM(value) (value)
#endif
#ifndef LS_ROLE
#define LS_ROLE(value) (value)
#endif

#endif
