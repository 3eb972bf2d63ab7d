// The kernels of one plan. The exchanges are launched with a.carriers blocks that carry rows and at least one more,
// LS_THREADS threads each; the last one, which knows no peer, with any number of blocks. Those named _any take tensors that do
// not begin on 16 bytes, or rows that are no whole packs.
#include "port.h"
#include "numerics.h"
#include "frame.h"
#include "row.h"
#include "protocol.h"
#include "steps.h"
#include "push.h"
#include "pull.h"
#include "local.h"

#define LS_ENTRY(name, body, whole, algorithm) \
    LS_KERNEL void LS_BOUNDS(LS_THREADS) name(LS_ARGS a) { \
        LS_SHARED(LsBlock, shared); \
        body<whole, algorithm>(a, shared); \
    }

LS_ENTRY(ls_one_shot_push_any, ls_push, false, LS_ONE_SHOT_PUSH)
LS_ENTRY(ls_two_shot_push_any, ls_push, false, LS_TWO_SHOT_PUSH)
LS_ENTRY(ls_one_shot_pull_any, ls_pull, false, LS_ONE_SHOT_PULL)
LS_ENTRY(ls_two_shot_pull_any, ls_pull, false, LS_TWO_SHOT_PULL)
LS_ENTRY(ls_finish_sums_any, ls_local, false, LS_LOCAL_FINISH)
#if LS_HIDDEN % LS_PACK_ELEMENTS == 0
LS_ENTRY(ls_one_shot_push, ls_push, true, LS_ONE_SHOT_PUSH)
LS_ENTRY(ls_two_shot_push, ls_push, true, LS_TWO_SHOT_PUSH)
LS_ENTRY(ls_one_shot_pull, ls_pull, true, LS_ONE_SHOT_PULL)
LS_ENTRY(ls_two_shot_pull, ls_pull, true, LS_TWO_SHOT_PULL)
LS_ENTRY(ls_finish_sums, ls_local, true, LS_LOCAL_FINISH)
#endif
