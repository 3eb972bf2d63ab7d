// All-reduce by words that carry their own arrival: no barrier, nothing to overtake. Every word of a copy is the reserved
// one until a peer's has come. The grid has some blocks more than carry rows; they re-arm words and keep the books.
#ifndef LS_PUSH_H
#define LS_PUSH_H

// Sends a row as words, to begin at this pack of an area. Pairs with ls_receive_sum and ls_receive_row; without it:
// litmus one-shot-push, two-shot-push.
LS_FN void ls_send(const LsCall &call, u8 *area, u32 words, const LsRow &row) {
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        if (ls_holds(call, h)) {
            ls_store_words_relaxed_sys(area + (u64)(words + ls_pack_of(h)) * 16, row.pack[h]);
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

// The packs of all peers at one place of a row, added up. All are asked for before the first is awaited. Pairs with ls_send;
// without it: litmus one-shot-push, two-shot-push.
LS_FN LsPack ls_receive_sum(const LsArgs &a, LsCall &call, u32 row, u32 held, const LsPack &own) {
    if (!ls_holds(call, held)) {
        return own;
    }
    LsPack from[LS_RANKS];
    const u8 *first = ls_rows(a, LS_ME) + (u64)(ls_row_words(a, call.copy, 0, row) + ls_pack_of(held)) * 16;
    u64 stride = (u64)a.capacity * LS_ROW_BYTES;
#pragma unroll
    for (u32 rank = 0; rank < LS_RANKS; rank++) {
        from[rank] = rank == LS_ME ? own : ls_load_words_relaxed_sys(first + rank * stride);
    }
    LsWait wait = {};
#pragma unroll
    for (u32 rank = 0; rank < LS_RANKS; rank++) {
        while (rank != LS_ME && !ls_arrived(from[rank]) && !ls_give_up(a, call, wait, LS_NO_WORDS, rank, 0, 0)) {
            from[rank] = ls_load_words_relaxed_sys(first + rank * stride);
        }
    }
    return ls_sum(from);
}
// The packs that one peer has sent. Pairs with ls_send; without it: litmus two-shot-push.
LS_FN LsRow ls_receive_row(const LsArgs &a, LsCall &call, const u8 *area, u32 words, u32 from) {
    LsRow r;
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        const u8 *at = area + (u64)(words + ls_pack_of(h)) * 16;
        r.pack[h] = ls_holds(call, h) ? ls_load_words_relaxed_sys(at) : LsPack{{0, 0, 0, 0}};
    }
    LsWait wait = {};
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        const u8 *at = area + (u64)(words + ls_pack_of(h)) * 16;
        while (!ls_arrived(r.pack[h]) && !ls_give_up(a, call, wait, LS_NO_WORDS, from, 0, 0)) {
            r.pack[h] = ls_load_words_relaxed_sys(at);
        }
    }
    return r;
}

// Every rank sends every row to every peer, and adds all of it. A block sends one row ahead of the one it takes.
template <bool WHOLE>
LS_FN void ls_one_shot_rows(const LsArgs &a, LsBlock &shared, LsCall &call) {
    LsRow weight = ls_load_weight<WHOLE>(a, call);
    LsRow ahead = {};
    u32 turn = 0;
    for (u32 row = call.block; row < a.tokens + call.blocks; row += call.blocks, turn++) {
        LsRow own = ahead;
        if (row < a.tokens) {
            ahead = ls_sendable(ls_load_row<WHOLE>(call, a.input, row));
#pragma unroll
            for (u32 to = 0; to < LS_RANKS; to++) {
                if (to != LS_ME) {
                    ls_send(call, ls_rows(a, to), ls_row_words(a, call.copy, LS_ME, row), ahead);
                }
            }
        }
        if (turn == 0) {
            ls_send_headers(a, call, LS_ONE_SHOT_PUSH);
            ls_end(a, call, LS_ONE_SHOT_PUSH);
            if (call.bad) {
                return;
            }
            call.unusual_weight = ls_is_unusual(weight);
            ls_check_headers(a, call, LS_ONE_SHOT_PUSH);
            continue;
        }
        u32 before = row - call.blocks;
        LsRow residual = ls_load_residual<WHOLE>(a, call, before);
        LsRow reduced;
#pragma unroll
        for (int h = 0; h < LS_HELD; h++) {
            reduced.pack[h] = ls_receive_sum(a, call, before, h, own.pack[h]);
        }
        if (!ls_finish<WHOLE>(a, shared, call, before, reduced, residual, weight)) {
            return;
        }
    }
}

// Rows in groups of one for each rank. Every rank sends each row to its owner, which adds it up and sends the sum to all.
// A block has three groups under way: it sends the rows of the next one, adds its own row of this one, and takes the
// sums of the one before, so that none of the three waits for the way of the words.
template <bool WHOLE>
LS_FN void ls_two_shot_rows(const LsArgs &a, LsBlock &shared, LsCall &call) {
    u32 groups = (a.tokens + LS_RANKS - 1) / LS_RANKS;
    LsRow weight = ls_load_weight<WHOLE>(a, call);
    u32 step = 0;
    for (u32 group = call.block; group < groups + 2 * call.blocks; group += call.blocks, step++) {
        if (group < groups) {
#pragma unroll
            for (u32 i = 1; i < LS_RANKS; i++) {
                u32 owner = (LS_ME + i) % LS_RANKS;
                u32 row = group * LS_RANKS + owner;
                if (row < a.tokens) {
                    LsRow part = ls_sendable(ls_load_row<WHOLE>(call, a.input, row));
                    ls_send(call, ls_rows(a, owner), ls_row_words(a, call.copy, LS_ME, group), part);
                }
            }
        }
        if (step == 0) {
            ls_send_headers(a, call, LS_TWO_SHOT_PUSH);
            ls_end(a, call, LS_TWO_SHOT_PUSH);
            if (call.bad) {
                return;
            }
            call.unusual_weight = ls_is_unusual(weight);
            ls_check_headers(a, call, LS_TWO_SHOT_PUSH);
            continue;
        }
        u32 adding = group - call.blocks;
        u32 row = adding * LS_RANKS + LS_ME;
        if (adding < groups && row < a.tokens) {
            LsRow own = ls_sendable(ls_load_row<WHOLE>(call, a.input, row));
            LsRow residual = ls_load_residual<WHOLE>(a, call, row);
            LsRow reduced;
#pragma unroll
            for (int h = 0; h < LS_HELD; h++) {
                reduced.pack[h] = ls_receive_sum(a, call, adding, h, own.pack[h]);
            }
            // No rounded sum has the reserved bits. Who has given up sends nothing, which a peer would take for a sum.
#pragma unroll
            for (u32 i = 1; i < LS_RANKS && !call.bad; i++) {
                ls_send(call, ls_sums(a, (LS_ME + i) % LS_RANKS), ls_sum_words(a, call.copy, row), reduced);
            }
            if (!ls_finish<WHOLE>(a, shared, call, row, reduced, residual, weight)) {
                return;
            }
        }
        if (step == 1) {
            continue;
        }
        u32 taking = adding - call.blocks;
#pragma unroll 1
        for (u32 i = 1; i < LS_RANKS; i++) {
            u32 owner = (LS_ME + i) % LS_RANKS;
            u32 theirs = taking * LS_RANKS + owner;
            if (theirs >= a.tokens) {
                continue;
            }
            LsRow residual = ls_load_residual<WHOLE>(a, call, theirs);
            LsRow reduced = ls_receive_row(a, call, ls_sums(a, LS_ME), ls_sum_words(a, call.copy, theirs), owner);
            if (!ls_finish<WHOLE>(a, shared, call, theirs, reduced, residual, weight)) {
                return;
            }
        }
    }
}

// The blocks beside those that carry rows. The first of them pairs with the same one of the peers: it makes the end of this
// rank's last call, and with it the re-arming done there, visible to them; without it: litmus one-shot-push, two-shot-push.
LS_FN void ls_keep_books(const LsArgs &a, LsCall &call, u32 algorithm) {
    u32 share = call.block - call.blocks;
    ls_end(a, call, algorithm);
    if (call.bad) {
        return;
    }
    ls_rearm(a, call, share, ls_blocks() - call.blocks);
    if (share == 0) {
        LS_REARMED_STEPS
    }
}

template <bool WHOLE, u32 ALGORITHM>
LS_FN void ls_push(const LsArgs &a, LsBlock &shared) {
    LsCall call = ls_begin(a, shared);
    if (call.block >= call.blocks) {
        ls_keep_books(a, call, ALGORITHM);
    } else if constexpr (ALGORITHM == LS_ONE_SHOT_PUSH) {
        ls_one_shot_rows<WHOLE>(a, shared, call);
    } else {
        ls_two_shot_rows<WHOLE>(a, shared, call);
    }
}

#endif
