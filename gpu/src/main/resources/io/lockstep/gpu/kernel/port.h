// The vendor's words for the few things the kernels need: threads, barriers, fences, ordered accesses, rounding.
// Nothing else in the kernels names a vendor. Compiled by NVRTC and nvcc, by hipRTC and clang for AMD GPUs, and by g++
// against a shim of host threads (LS_HOST).
// A wave has 32 or 64 threads; the kernels shuffle among 32 neighbours only.
#ifndef LS_PORT_H
#define LS_PORT_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

// Sixteen bytes, the most a thread moves in one access.
struct alignas(16) LsPack {
    u32 w[4];
};

#if defined(LS_HOST)
#include "shim.h"
#elif defined(__CUDACC__)

#define LS_FN static __device__ __forceinline__
#define LS_KERNEL extern "C" __global__
// One block a multiprocessor is enough: without the 1, ptxas spills registers on sm_100 and sm_120 to make room for two.
#define LS_BOUNDS(threads) __launch_bounds__(threads, 1)
#define LS_SHARED __shared__
#define LS_ARGS const __grid_constant__ LsArgs

LS_FN u32 ls_thread() { return threadIdx.x; }
LS_FN u32 ls_block() { return blockIdx.x; }
LS_FN u32 ls_blocks() { return gridDim.x; }
LS_FN void ls_syncthreads() { __syncthreads(); }
LS_FN void ls_wave_drain() {}
LS_FN void ls_acquire_all() {}

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
LS_FN float ls_root(float a) { return __fsqrt_rn(a); }
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
#define LS_HAS_BF16X2 1
LS_FN u32 ls_round_bf16x2(float low, float high) {
    u32 v;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(v) : "f"(high), "f"(low));
    return v;
}

#else // clang for AMD GPUs, and hipRTC

#if !defined(__HIPCC_RTC__)
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#endif
#define LS_FN static inline __attribute__((device, always_inline))
#define LS_KERNEL extern "C" __attribute__((global))
#define LS_BOUNDS(threads) __attribute__((amdgpu_flat_work_group_size(threads, threads)))
#define LS_SHARED __attribute__((shared))
#define LS_ARGS const LsArgs

LS_FN u32 ls_thread() { return __builtin_amdgcn_workitem_id_x(); }
LS_FN u32 ls_block() { return __builtin_amdgcn_workgroup_id_x(); }
LS_FN u32 ls_blocks();

// Every wave's own stores have left before the others go on: a work-group barrier alone waits for none of them.
LS_FN void ls_wave_drain() {
#if defined(__gfx1200__) || defined(__gfx1201__) || defined(__gfx1250__)
    asm volatile("s_wait_storecnt 0\n\ts_wait_loadcnt 0" ::: "memory");
#elif defined(__gfx1100__) || defined(__gfx1101__) || defined(__gfx1102__) || defined(__gfx1030__)
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

#define LS_GLOBAL __attribute__((address_space(1)))
LS_FN void ls_store_relaxed_sys(u32 *at, u32 v) { __hip_atomic_store((LS_GLOBAL u32 *)at, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM); }
LS_FN void ls_store_release_sys(u32 *at, u32 v) { __hip_atomic_store((LS_GLOBAL u32 *)at, v, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_SYSTEM); }
LS_FN u32 ls_load_relaxed_sys(const u32 *at) { return __hip_atomic_load((LS_GLOBAL u32 *)at, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM); }
LS_FN u32 ls_load_acquire_sys(const u32 *at) { return __hip_atomic_load((LS_GLOBAL u32 *)at, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_SYSTEM); }
LS_FN u32 ls_load_relaxed_gpu(const u32 *at) { return __hip_atomic_load((LS_GLOBAL u32 *)at, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT); }
LS_FN u32 ls_load_acquire_gpu(const u32 *at) { return __hip_atomic_load((LS_GLOBAL u32 *)at, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT); }
LS_FN void ls_store_word64_relaxed_sys(u64 *at, u64 v) { __hip_atomic_store((LS_GLOBAL u64 *)at, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM); }
LS_FN u64 ls_load_word64_relaxed_sys(const u64 *at) { return __hip_atomic_load((LS_GLOBAL u64 *)at, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM); }
// There is no atomic access of sixteen bytes: two of eight, which is more than the protocol asks for.
LS_FN void ls_store_words_relaxed_sys(void *at, const LsPack &p) {
    ls_store_word64_relaxed_sys((u64 *)at, (u64)p.w[1] << 32 | p.w[0]);
    ls_store_word64_relaxed_sys((u64 *)at + 1, (u64)p.w[3] << 32 | p.w[2]);
}
LS_FN LsPack ls_load_words_relaxed_sys(const void *at) {
    u64 low = ls_load_word64_relaxed_sys((const u64 *)at), high = ls_load_word64_relaxed_sys((const u64 *)at + 1);
    return LsPack{{(u32)low, (u32)(low >> 32), (u32)high, (u32)(high >> 32)}};
}

LS_FN u32 ls_count(u32 *at) { return __hip_atomic_fetch_add((LS_GLOBAL u32 *)at, 1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT); }
LS_FN u32 ls_claim(u32 *at) { return __hip_atomic_exchange((LS_GLOBAL u32 *)at, 1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT); }

// A constant clock of 100 MHz on every AMD GPU that this is compiled for.
LS_FN u64 ls_nanos() { return __builtin_readsteadycounter() * 10; }
LS_FN void ls_pause() { __builtin_amdgcn_s_sleep(1); }

LS_FN u32 ls_bits(float v) { return __builtin_bit_cast(u32, v); }
LS_FN float ls_float(u32 bits) { return __builtin_bit_cast(float, bits); }
LS_FN float ls_shuffle_xor(float v, int mask) {
    u32 lane = __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u));
    return ls_float(__builtin_amdgcn_ds_bpermute((int)((lane ^ (u32)mask) << 2), (int)ls_bits(v)));
}
LS_FN float ls_divide(float a, float b) { return a / b; }
LS_FN float ls_root(float a) { return __builtin_sqrtf(a); }
LS_FN float ls_fp16_to_fp32(u32 half) { return (float)__builtin_bit_cast(_Float16, (u16)half); }
LS_FN u32 ls_round_fp16x2(float low, float high) {
    return (u32)__builtin_bit_cast(u16, (_Float16)low) | (u32)__builtin_bit_cast(u16, (_Float16)high) << 16;
}
LS_FN u32 ls_blocks() {
    // The grid's size in work-items, from the dispatch packet.
    const LS_GLOBAL u32 *packet = (const LS_GLOBAL u32 *)__builtin_amdgcn_dispatch_ptr();
    return packet[3] / (packet[1] & 0xFFFF);
}
#endif

#endif
