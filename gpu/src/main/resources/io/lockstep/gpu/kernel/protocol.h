// The steps of the default protocols, in the vocabulary of port.h: rendered from
// io.lockstep.core.protocol.Protocols by io.lockstep.gpu.kernel.ProtocolText.
#ifndef LS_PROTOCOL_H
#define LS_PROTOCOL_H

#define LS_REARMED_STEPS \
    LS_POLLERS(ls_fence_release_sys();) \
    LS_POLLERS(LS_STORE_FLAG(relaxed_sys, REARMED, call.epoch - 1)) \
    LS_POLLERS(LS_AWAIT_FLAG(relaxed_sys, REARMED, call.epoch - 2)) \
    LS_POLLERS(ls_fence_acquire_sys();)

#define LS_START_STEPS \
    ls_wave_drain(); \
    ls_syncthreads(); \
    LS_POLLERS(ls_fence_release_sys();) \
    LS_POLLERS(LS_STORE_FLAG(relaxed_sys, START, call.epoch)) \
    LS_POLLERS(LS_AWAIT_FLAG(relaxed_sys, START, call.epoch)) \
    LS_POLLERS(ls_fence_acquire_sys();) \
    ls_syncthreads(); \
    ls_acquire_all();

#define LS_MIDDLE_STEPS \
    ls_wave_drain(); \
    ls_syncthreads(); \
    LS_POLLERS(ls_fence_release_sys();) \
    LS_POLLERS(LS_STORE_FLAG(relaxed_sys, MIDDLE, call.epoch)) \
    LS_POLLERS(LS_AWAIT_FLAG(relaxed_sys, MIDDLE, call.epoch)) \
    LS_POLLERS(ls_fence_acquire_sys();) \
    ls_syncthreads(); \
    ls_acquire_all();

#define LS_END_STEPS \
    ls_wave_drain(); \
    ls_syncthreads(); \
    LS_POLLERS(ls_fence_release_sys();) \
    LS_POLLERS(LS_STORE_FLAG(relaxed_sys, END, call.epoch)) \
    LS_POLLERS(LS_AWAIT_FLAG(relaxed_sys, END, call.epoch)) \
    LS_POLLERS(ls_fence_acquire_sys();) \
    ls_syncthreads(); \
    ls_acquire_all();

#endif
