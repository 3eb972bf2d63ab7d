// All-reduce by words that carry their own arrival: no barrier, nothing to overtake. Every word of a copy is the reserved
// one until a peer's has come. The grid has some blocks more than carry rows; they re-arm words and keep the books.
#ifndef LS_PUSH_H
#define LS_PUSH_H

// How many peers' sends stand in line: the addresses of all of them would take registers that others need.
template <bool WHOLE>
constexpr int ls_sends_in_line = WHOLE && LS_HELD <= 2 ? LS_RANKS : 1;

// Sends a row as words, to begin at this pack of an area. Pairs with ls_receive_sum and ls_receive_row; without it:
// litmus one-shot-push, two-shot-push.
LS_FN void ls_send(const LsCall &call, u8 *area, u32 words, const LsRow &row) {
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        if (ls_holds(call, h)) {
            ls_store_words_relaxed_sys(area + (u64)(words + ls_pack_of(call, h)) * 16, row.pack[h]);
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

// A row of every peer, added up with this rank's own. Packs are asked for ahead of the one that is awaited, all of them
// where registers hold so many. Pairs with ls_send; without it: litmus one-shot-push, two-shot-push.
LS_FN LsRow ls_receive_sum(const LsArgs &a, LsCall &call, u32 row, const LsRow &own) {
    constexpr u32 count = LS_HELD * LS_RANKS;
    constexpr u32 ahead = count < LS_AHEAD ? count : LS_AHEAD;
    if (!call.holds_rows) {
        return own;
    }
    const u8 *first = ls_rows(a, LS_ME) + (u64)ls_row_words(a, call.copy, 0, row) * 16;
    u64 stride = (u64)a.capacity * LS_ROW_BYTES;
    // In the order of ranks within a pack, which is the order of additions.
    auto ask = [&](u32 i) {
        u32 held = i / LS_RANKS, rank = i % LS_RANKS;
        if (rank == LS_ME || !ls_holds(call, held)) {
            return own.pack[held];
        }
        if constexpr (!LS_TIGHT) {
            return ls_load_words_relaxed_sys(first + rank * stride + (u64)ls_pack_of(call, held) * 16);
        } else {
            return ls_load_words_relaxed_sys(ls_rows(a, LS_ME) + (u64)(ls_row_words(a, call.copy, rank, ls_anew(row)) + ls_pack_of(call, held)) * 16);
        }
    };
    LsPack from[ahead];
#pragma unroll
    for (u32 i = 0; i < ahead; i++) {
        from[i] = ask(i);
    }
    LsRow reduced;
    LsWait wait = {};
#pragma unroll
    for (u32 held = 0; held < LS_HELD; held++) {
        float sum[LS_PACK_ELEMENTS];
#pragma unroll
        for (u32 rank = 0; rank < LS_RANKS; rank++) {
            u32 i = held * LS_RANKS + rank;
            LsPack next = from[i % ahead];
            while (rank != LS_ME && !ls_all(ls_arrived(next) || call.bad)) {
                ls_give_up(a, call, wait, LS_NO_WORDS, rank, 0, 0);
                next = ask(i);
            }
            if (i + ahead < count) {
                from[i % ahead] = ask(i + ahead);
            }
            if constexpr (LS_RANKS == 2) {
                reduced.pack[held] = rank == 0 ? next : ls_add_numbers(reduced.pack[held], next);
            } else {
                ls_add(sum, next, rank == 0);
            }
        }
        if constexpr (LS_RANKS > 2) {
            reduced.pack[held] = ls_round_sum(sum);
        } else if (!LS_NORM) {
            reduced.pack[held] = ls_canonical(reduced.pack[held]);
        }
    }
    return reduced;
}
// The packs that one peer has sent. Pairs with ls_send; without it: litmus two-shot-push.
LS_FN LsRow ls_receive_row(const LsArgs &a, LsCall &call, const u8 *area, u32 words, u32 from) {
    LsRow r;
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        const u8 *at = area + (u64)(words + ls_pack_of(call, h)) * 16;
        r.pack[h] = ls_holds(call, h) ? ls_load_words_relaxed_sys(at) : LsPack{{0, 0, 0, 0}};
    }
    LsWait wait = {};
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        const u8 *at = area + (u64)(words + ls_pack_of(call, h)) * 16;
        while (!ls_all(ls_arrived(r.pack[h]) || call.bad)) {
            ls_give_up(a, call, wait, LS_NO_WORDS, from, 0, 0);
            r.pack[h] = ls_holds(call, h) ? ls_load_words_relaxed_sys(at) : r.pack[h];
        }
    }
    return r;
}

// Every rank sends every row to every peer, and adds all of it. A block sends one row ahead of the one it takes.
// A thread that gave up goes on to the next barrier with the others, and sends nothing.
//
// Before the first send stands one way to memory, and no second: the row and what the last call left are asked for together,
// and nothing that is needed later is awaited there.
template <bool WHOLE>
LS_FN void ls_send_row(const LsArgs &a, const LsCall &call, u32 row, const LsRow &words) {
#pragma unroll ls_sends_in_line<WHOLE>
    for (u32 to = 0; to < LS_RANKS; to++) {
        if (to != LS_ME) {
            ls_send(call, ls_rows(a, to), ls_row_words(a, call.copy, LS_ME, row), words);
        }
    }
}
template <bool WHOLE>
LS_FN void ls_one_shot_rows(const LsArgs &a, LsBlock &shared, LsCall &call) {
    LsRow ahead = ls_load_row<WHOLE>(call, a.input, call.block);
    ls_in_order();
    ls_recall(a, call);
    LsRow residual = WHOLE ? ls_load_residual<WHOLE>(a, call, call.block) : LsRow{};
    LsRow weight = ls_load_weight<WHOLE>(a, call);
    ahead = ls_sendable(ahead);
    if (!call.bad) {
        ls_send_row<WHOLE>(a, call, call.block, ahead);
    }
    ls_send_headers(a, call, LS_ONE_SHOT_PUSH);
    ls_end(a, call, LS_ONE_SHOT_PUSH);
    call.unusual_weight = ls_is_unusual(weight);
    ls_check_headers(a, call, LS_ONE_SHOT_PUSH);
    for (u32 row = call.block; row < a.tokens; row += call.blocks) {
        LsRow own = ahead;
        u32 next = row + call.blocks;
        if (next < a.tokens && !call.bad) {
            ahead = ls_sendable(ls_load_row<WHOLE>(call, a.input, next));
            ls_send_row<WHOLE>(a, call, next, ahead);
        }
        if constexpr (LS_TIGHT) {
            own = ls_sendable(ls_load_row<WHOLE>(call, a.input, ls_anew(row)));
        }
        if (!WHOLE || row != call.block) {
            residual = ls_load_residual<WHOLE>(a, call, row);
        }
        LsRow reduced = ls_receive_sum(a, call, row, own);
        if (!ls_finish<WHOLE>(a, shared, call, row, reduced, residual, weight)) {
            return;
        }
    }
}

// Sends the rows of a group that others own. All of them are asked for before the first is sent, where registers hold them;
// of the first group, together with what the last call left.
template <bool WHOLE, bool FIRST>
LS_FN void ls_send_parts(const LsArgs &a, LsCall &call, u32 group) {
    constexpr bool together = WHOLE && !LS_TIGHT;
    LsRow parts[together ? LS_RANKS : 1];
    if constexpr (together) {
#pragma unroll
        for (u32 i = 1; i < LS_RANKS; i++) {
            u32 row = group * LS_RANKS + (LS_ME + i) % LS_RANKS;
            parts[i] = row < a.tokens ? ls_load_row<WHOLE>(call, a.input, row) : LsRow{};
        }
    }
    if constexpr (FIRST) {
        ls_in_order();
        ls_recall(a, call);
    }
    if (call.bad) {
        return;
    }
#pragma unroll ls_sends_in_line<WHOLE>
    for (u32 i = 1; i < LS_RANKS; i++) {
        u32 owner = (LS_ME + i) % LS_RANKS;
        u32 row = group * LS_RANKS + owner;
        if (row < a.tokens) {
            LsRow part = ls_sendable(together ? parts[together ? i : 0] : ls_load_row<WHOLE>(call, a.input, row));
            ls_send(call, ls_rows(a, owner), ls_row_words(a, call.copy, LS_ME, group), part);
        }
    }
}

// Rows in groups of one for each rank. Every rank sends each row to its owner, which adds it up and sends the sum to all.
// A block has three groups under way: it sends the rows of the next one, adds its own row of this one, and takes the
// sums of the one before, so that none of the three waits for the way of the words.
template <bool WHOLE>
LS_FN void ls_two_shot_rows(const LsArgs &a, LsBlock &shared, LsCall &call) {
    u32 groups = (a.tokens + LS_RANKS - 1) / LS_RANKS;
    ls_send_parts<WHOLE, true>(a, call, call.block);
    LsRow weight = ls_load_weight<WHOLE>(a, call);
    ls_send_headers(a, call, LS_TWO_SHOT_PUSH);
    ls_end(a, call, LS_TWO_SHOT_PUSH);
    call.unusual_weight = ls_is_unusual(weight);
    ls_check_headers(a, call, LS_TWO_SHOT_PUSH);
    for (u32 adding = call.block; adding < groups + call.blocks; adding += call.blocks) {
        u32 sending = adding + call.blocks;
        if (sending < groups) {
            ls_send_parts<WHOLE, false>(a, call, sending);
        }
        u32 row = adding * LS_RANKS + LS_ME;
        if (adding < groups && row < a.tokens) {
            LsRow own = ls_sendable(ls_load_row<WHOLE>(call, a.input, row));
            LsRow residual = ls_load_residual<WHOLE>(a, call, row);
            LsRow reduced = ls_receive_sum(a, call, adding, own);
            // Who has given up sends nothing, which a peer would take for a sum.
#pragma unroll ls_sends_in_line<WHOLE>
            for (u32 i = 1; i < LS_RANKS && !call.bad; i++) {
                ls_send(call, ls_sums(a, (LS_ME + i) % LS_RANKS), ls_sum_words(a, call.copy, row), ls_sendable(reduced));
            }
            if (!ls_finish<WHOLE>(a, shared, call, row, reduced, residual, weight)) {
                return;
            }
        }
        if (adding < call.blocks) {
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
    if (share == 0 && !call.bad) {
        LS_REARMED_STEPS
    }
    ls_end(a, call, algorithm);
    if (!call.bad) {
        ls_rearm(a, call, share, ls_blocks() - call.blocks);
    }
}

template <bool WHOLE, u32 ALGORITHM>
LS_FN void ls_push(const LsArgs &a, LsBlock &shared) {
    LsCall call = ls_enter(shared, a.carriers);
    if (call.block >= call.blocks) {
        ls_recall(a, call);
        ls_keep_books(a, call, ALGORITHM);
    } else if constexpr (ALGORITHM == LS_ONE_SHOT_PUSH) {
        ls_one_shot_rows<WHOLE>(a, shared, call);
    } else {
        ls_two_shot_rows<WHOLE>(a, shared, call);
    }
}

#endif
