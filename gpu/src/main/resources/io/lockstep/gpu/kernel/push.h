// All-reduce by words that carry their own arrival: no barrier, nothing to overtake. Every word of a copy is the reserved
// one until a peer's has come. The grid has one block more than carry rows; it does the re-arming's book-keeping.
#ifndef LS_PUSH_H
#define LS_PUSH_H

// Sends a row as words. Pairs with ls_receive; without it: litmus one-shot-push, two-shot-push.
LS_FN void ls_send(const LsCall &call, u8 *words, const LsRow &row) {
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        if (ls_holds(call, h)) {
            ls_store_words_relaxed_sys(words + (u64)ls_pack_of(h) * 16, row.pack[h]);
        }
    }
}
LS_FN LsRow ls_sendable(const LsRow &row) {
    LsRow r;
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        r.pack[h] = ls_sendable(row.pack[h]);
    }
    return r;
}

// Looks once.
LS_FN LsPack ls_peek(const LsCall &call, const u8 *words, u32 held) {
    return ls_holds(call, held) ? ls_load_words_relaxed_sys(words + (u64)ls_pack_of(held) * 16) : LsPack{{0, 0, 0, 0}};
}
// The packs of all peers at one place of a row, added up. All are asked for before the first is awaited.
LS_FN LsPack ls_receive_sum(const LsArgs &a, LsCall &call, u32 row, u32 held, const LsPack &own) {
    LsPack from[LS_RANKS];
#pragma unroll
    for (u32 rank = 0; rank < LS_RANKS; rank++) {
        from[rank] = rank == a.rank ? own : ls_peek(call, ls_row_words(a, call.copy, a.rank, rank, row), held);
    }
    LsWait wait = {};
    for (;;) {
        u32 missing = LS_RANKS;
#pragma unroll
        for (u32 rank = 0; rank < LS_RANKS; rank++) {
            if (!ls_arrived(from[rank])) {
                missing = rank;
                from[rank] = ls_peek(call, ls_row_words(a, call.copy, a.rank, rank, row), held);
            }
        }
        if (missing == LS_RANKS || ls_give_up(a, call, wait, LS_NO_WORDS, missing, 0, 0)) {
            return ls_sum(from);
        }
    }
}
// The packs that one peer has sent.
LS_FN LsRow ls_receive_row(const LsArgs &a, LsCall &call, const u8 *words, u32 from) {
    LsRow r;
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        r.pack[h] = ls_peek(call, words, h);
    }
    LsWait wait = {};
    for (;;) {
        bool missing = false;
#pragma unroll
        for (int h = 0; h < LS_HELD; h++) {
            if (!ls_arrived(r.pack[h])) {
                missing = true;
                r.pack[h] = ls_peek(call, words, h);
            }
        }
        if (!missing || ls_give_up(a, call, wait, LS_NO_WORDS, from, 0, 0)) {
            return r;
        }
    }
}

// Every rank sends every row to every peer, and adds all of it.
template <bool WHOLE>
LS_FN void ls_one_shot_rows(const LsArgs &a, LsBlock &shared, LsCall &call) {
    LsRow weight = ls_load_weight<WHOLE>(a, call);
    LsRow ahead = ls_sendable(ls_load_row<WHOLE>(call, a.input, call.block));
    ls_send_headers(a, call, LS_ONE_SHOT_PUSH);
    u32 turn = 0;
    u32 row = call.block;
#pragma unroll
    for (u32 to = 0; to < LS_RANKS; to++) {
        if (to != a.rank) {
            ls_send(call, ls_row_words(a, call.copy, to, a.rank, row), ahead);
        }
    }
    ls_end(a, call, LS_ONE_SHOT_PUSH);
    if (call.bad) {
        return;
    }
    bool rearming = true;
    for (; row < a.tokens; row += call.blocks, turn++) {
        LsRow own = ahead;
        LsRow residual = ls_load_residual<WHOLE>(a, call, row);
        if (row + call.blocks < a.tokens) {
            u32 next = row + call.blocks;
            ahead = ls_sendable(ls_load_row<WHOLE>(call, a.input, next));
#pragma unroll
            for (u32 to = 0; to < LS_RANKS; to++) {
                if (to != a.rank) {
                    ls_send(call, ls_row_words(a, call.copy, to, a.rank, next), ahead);
                }
            }
        }
        rearming = rearming && call.holds_rows && ls_rearm_step(a, call, turn);
        if (turn == 0) {
            ls_check_headers(a, call, LS_ONE_SHOT_PUSH);
        }
        LsRow reduced;
#pragma unroll
        for (int h = 0; h < LS_HELD; h++) {
            reduced.pack[h] = ls_receive_sum(a, call, row, h, own.pack[h]);
        }
        if (!ls_finish<WHOLE>(a, shared, call, turn, row, reduced, residual, weight)) {
            return;
        }
    }
    while (rearming) {
        rearming = ls_rearm_step(a, call, turn++);
    }
}

// Rows in groups of one for each rank. Every rank sends each row to its owner, which adds it up and sends the sum to all.
// A block has three groups under way: it sends the rows of the next one, adds its own row of this one, and takes the
// sums of the one before, so that none of the three waits for the way of the words.
template <bool WHOLE>
LS_FN void ls_two_shot_send(const LsArgs &a, const LsCall &call, u32 group) {
#pragma unroll
    for (u32 i = 1; i < LS_RANKS; i++) {
        u32 owner = (a.rank + i) % LS_RANKS;
        u32 row = group * LS_RANKS + owner;
        if (row < a.tokens) {
            LsRow part = ls_sendable(ls_load_row<WHOLE>(call, a.input, row));
            ls_send(call, ls_row_words(a, call.copy, owner, a.rank, group), part);
        }
    }
}

template <bool WHOLE>
LS_FN void ls_two_shot_rows(const LsArgs &a, LsBlock &shared, LsCall &call) {
    u32 groups = (a.tokens + LS_RANKS - 1) / LS_RANKS;
    LsRow weight = ls_load_weight<WHOLE>(a, call);
    ls_send_headers(a, call, LS_TWO_SHOT_PUSH);
    ls_two_shot_send<WHOLE>(a, call, call.block);
    ls_end(a, call, LS_TWO_SHOT_PUSH);
    if (call.bad) {
        return;
    }
    bool rearming = true;
    bool first = true;
    u32 turn = 0;
    u32 step = 0;
    for (u32 group = call.block; group < groups + call.blocks; group += call.blocks, step++) {
        if (group + call.blocks < groups) {
            ls_two_shot_send<WHOLE>(a, call, group + call.blocks);
        }
        rearming = rearming && call.holds_rows && ls_rearm_step(a, call, step);
        if (first) {
            ls_check_headers(a, call, LS_TWO_SHOT_PUSH);
        }
        u32 row = group * LS_RANKS + a.rank;
        if (group < groups && row < a.tokens) {
            LsRow own = ls_sendable(ls_load_row<WHOLE>(call, a.input, row));
            LsRow residual = ls_load_residual<WHOLE>(a, call, row);
            LsRow reduced;
#pragma unroll
            for (int h = 0; h < LS_HELD; h++) {
                reduced.pack[h] = ls_receive_sum(a, call, group, h, own.pack[h]);
            }
            // No rounded sum has the reserved bits.
#pragma unroll
            for (u32 i = 1; i < LS_RANKS; i++) {
                ls_send(call, ls_sum_words(a, call.copy, (a.rank + i) % LS_RANKS, row), reduced);
            }
            if (!ls_finish<WHOLE>(a, shared, call, turn++, row, reduced, residual, weight)) {
                return;
            }
            first = false;
        }
        if (step == 0) {
            continue;
        }
        u32 before = group - call.blocks;
#pragma unroll 1
        for (u32 i = 1; i < LS_RANKS; i++) {
            u32 owner = (a.rank + i) % LS_RANKS;
            u32 row = before * LS_RANKS + owner;
            if (row >= a.tokens) {
                continue;
            }
            LsRow residual = ls_load_residual<WHOLE>(a, call, row);
            LsRow reduced = ls_receive_row(a, call, ls_sum_words(a, call.copy, a.rank, row), owner);
            if (!ls_finish<WHOLE>(a, shared, call, turn++, row, reduced, residual, weight)) {
                return;
            }
            first = false;
        }
    }
    while (rearming) {
        rearming = ls_rearm_step(a, call, step++);
    }
}

// The block beside those that carry rows. Pairs with the same step of the peers; makes the end of this rank's last call,
// and with it the re-arming done there, visible to them; without it: litmus one-shot-push, two-shot-push.
LS_FN void ls_keep_books(const LsArgs &a, LsCall &call, u32 algorithm) {
    LS_REARMED_STEPS
    ls_end(a, call, algorithm);
}

template <bool WHOLE, u32 ALGORITHM>
LS_FN void ls_push(const LsArgs &a, LsBlock &shared) {
    LsCall call = ls_begin(a, shared, ls_blocks() - 1);
    if (call.block == call.blocks) {
        ls_keep_books(a, call, ALGORITHM);
    } else if constexpr (ALGORITHM == LS_ONE_SHOT_PUSH) {
        ls_one_shot_rows<WHOLE>(a, shared, call);
    } else {
        ls_two_shot_rows<WHOLE>(a, shared, call);
    }
}

#endif
