// All-reduce by barriers between devices and ordinary loads from the peers' memory, as it is done elsewhere. Kept for
// comparison, and for two ranks with large inputs. Rows stay with blocks of the same number on every rank, since a barrier
// is one between those. The call's header and the re-arming of an earlier push call are as in push.
#ifndef LS_PULL_H
#define LS_PULL_H

LS_FN u8 *ls_staged(const LsArgs &a, u32 home, u32 row) { return a.memory[home] + a.staging + (u64)row * LS_ROW_BYTES; }
LS_FN u8 *ls_result(const LsArgs &a, u32 home, u32 row) { return a.memory[home] + a.result + (u64)row * LS_ROW_BYTES; }

LS_FN void ls_put(const LsCall &call, u8 *at, const LsRow &row) {
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        if (ls_holds(call, h)) {
            *(LsPack *)(at + (u64)ls_pack_of(call, h) * 16) = row.pack[h];
        }
    }
}
LS_FN LsPack ls_take(const LsCall &call, const u8 *at, u32 held) {
    return ls_holds(call, held) ? *(const LsPack *)(at + (u64)ls_pack_of(call, held) * 16) : LsPack{{0, 0, 0, 0}};
}

// Pairs with the start barrier of the peers' blocks of this number; makes their rows of input visible, and before it ends
// every read of the last call's results; without it: litmus relaxed-start.
LS_FN void ls_start_barrier(const LsArgs &a, LsCall &call) { LS_START_STEPS }
// Pairs with the middle barrier of the peers; makes their sums visible; without it: litmus relaxed.
LS_FN void ls_middle_barrier(const LsArgs &a, LsCall &call) { LS_MIDDLE_STEPS }
// Pairs with the end barrier of the peers; ends their reads of this rank's input; without it: litmus no-end-barrier.
LS_FN void ls_end_barrier(const LsArgs &a, LsCall &call) { LS_END_STEPS }

LS_FN LsRow ls_sum_staged(const LsArgs &a, const LsCall &call, u32 row) {
    LsRow reduced;
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        float sum[LS_PACK_ELEMENTS];
#pragma unroll
        for (u32 rank = 0; rank < LS_RANKS; rank++) {
            if (LS_TIGHT && rank % LS_AHEAD == 0) {
                ls_in_order();
            }
            ls_add(sum, ls_take(call, ls_staged(a, rank, row), h), rank == 0);
        }
        reduced.pack[h] = ls_round_sum(sum);
    }
    return reduced;
}

template <bool WHOLE>
LS_FN void ls_one_shot_pull_rows(const LsArgs &a, LsBlock &shared, LsCall &call) {
    for (u32 row = call.block; row < a.tokens; row += call.blocks) {
        ls_put(call, ls_staged(a, LS_ME, row), ls_load_row<WHOLE>(call, a.input, row));
    }
    ls_start_barrier(a, call);
    ls_check_headers(a, call, LS_ONE_SHOT_PULL);
    LsRow weight = ls_load_weight<WHOLE>(a, call);
    call.unusual_weight = ls_is_unusual(weight);
    for (u32 row = call.block; row < a.tokens; row += call.blocks) {
        LsRow residual = ls_load_residual<WHOLE>(a, call, row);
        LsRow reduced = ls_sum_staged(a, call, row);
        if (!ls_finish<WHOLE>(a, shared, call, row, reduced, residual, weight)) {
            return;
        }
    }
    ls_end_barrier(a, call);
}

template <bool WHOLE>
LS_FN void ls_two_shot_pull_rows(const LsArgs &a, LsBlock &shared, LsCall &call) {
    u32 groups = (a.tokens + LS_RANKS - 1) / LS_RANKS;
    for (u32 group = call.block; group < groups; group += call.blocks) {
        for (u32 row = group * LS_RANKS; row < (group + 1) * LS_RANKS && row < a.tokens; row++) {
            ls_put(call, ls_staged(a, LS_ME, row), ls_load_row<WHOLE>(call, a.input, row));
        }
    }
    ls_start_barrier(a, call);
    // Who has given up tells no peer that its sums are there.
    if (ls_anyone_bad(shared, call)) {
        return;
    }
    for (u32 group = call.block; group < groups; group += call.blocks) {
        u32 row = group * LS_RANKS + LS_ME;
        if (row < a.tokens) {
            LsRow reduced = ls_sum_staged(a, call, row);
#pragma unroll
            for (u32 i = 0; i < LS_RANKS; i++) {
                ls_put(call, ls_result(a, (LS_ME + i) % LS_RANKS, row), reduced);
            }
        }
    }
    ls_middle_barrier(a, call);
    ls_check_headers(a, call, LS_TWO_SHOT_PULL);
    LsRow weight = ls_load_weight<WHOLE>(a, call);
    call.unusual_weight = ls_is_unusual(weight);
    for (u32 group = call.block; group < groups; group += call.blocks) {
        for (u32 row = group * LS_RANKS; row < (group + 1) * LS_RANKS && row < a.tokens; row++) {
            LsRow residual = ls_load_residual<WHOLE>(a, call, row);
            LsRow reduced;
#pragma unroll
            for (int h = 0; h < LS_HELD; h++) {
                reduced.pack[h] = ls_take(call, ls_result(a, LS_ME, row), h);
            }
            if (!ls_finish<WHOLE>(a, shared, call, row, reduced, residual, weight)) {
                return;
            }
        }
    }
}

template <bool WHOLE, u32 ALGORITHM>
LS_FN void ls_pull(const LsArgs &a, LsBlock &shared) {
    LsCall call = ls_enter(shared, a.carriers);
    ls_recall(a, call);
    if (call.block >= call.blocks) {
        ls_keep_books(a, call, ALGORITHM);
        return;
    }
    ls_send_headers(a, call, ALGORITHM);
    ls_end(a, call, ALGORITHM);
    if (ls_anyone_bad(shared, call)) {
        return;
    }
    if constexpr (ALGORITHM == LS_ONE_SHOT_PULL) {
        ls_one_shot_pull_rows<WHOLE>(a, shared, call);
    } else {
        ls_two_shot_pull_rows<WHOLE>(a, shared, call);
    }
}

#endif
