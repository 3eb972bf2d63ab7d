// How the steps of a protocol are done: by the pollers, one for each peer, in the spare warp.
#ifndef LS_STEPS_H
#define LS_STEPS_H

#define LS_POLLERS(step) \
    if (ls_is_peer(a, call)) { \
        step \
    }
// The address first: between a mark and its access nothing else is accessed.
#define LS_STORE_FLAG(how, flags, number) \
    { \
        u32 *at = LS_FLAG_##flags(call.lane, LS_ME); \
        LS_MARK("store." #flags, at); \
        ls_store_##how(at, (number)); \
    }
#define LS_AWAIT_FLAG(how, flags, number) \
    { \
        LsWait wait = {}; \
        const u32 *at = LS_FLAG_##flags(LS_ME, call.lane); \
        LS_MARK("await." #flags, at); \
        u32 found = ls_load_##how(at); \
        while (!ls_reached(found, (number))) { \
            if (ls_give_up(a, call, wait, LS_AWAITED_##flags, call.lane, (number), found)) { \
                break; \
            } \
            LS_MARK("await." #flags, at); \
            found = ls_load_##how(at); \
        } \
    }

#define LS_FLAG_REARMED(home, from) ls_rearmed_flag(a, home, from)
#define LS_FLAG_START(home, from) ls_barrier_flag(a, LS_AT_START, home, from)
#define LS_FLAG_MIDDLE(home, from) ls_barrier_flag(a, LS_AT_MIDDLE, home, from)
#define LS_FLAG_END(home, from) ls_barrier_flag(a, LS_AT_END, home, from)
#define LS_AWAITED_REARMED LS_NOT_REARMED
#define LS_AWAITED_START LS_NO_FLAG
#define LS_AWAITED_MIDDLE LS_NO_FLAG
#define LS_AWAITED_END LS_NO_FLAG

#endif
