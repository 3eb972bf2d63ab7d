// What every call has around its algorithm: its arguments, the layout of the memory that peers reach, waiting with a
// deadline, the header that names the call, and the re-arming of words.
//
// Set from outside: LS_RANKS, LS_RESIDUAL and LS_NORM (0 or 1: the parts of the
// operation).
#ifndef LS_FRAME_H
#define LS_FRAME_H

// Packs of a row that one thread holds.
#define LS_HELD ((LS_ROW_PACKS + LS_ROW_THREADS - 1) / LS_ROW_THREADS)
#define LS_ROW_BYTES ((u64)LS_ROW_PACKS * 16)
// Calls take turns in this many copies of every buffer of words.
#define LS_COPIES 4

// A rank's memory for one plan, as every peer reaches it:
//
//   0        rearmed    one epoch per peer, 128 bytes apart
//   1024     start      [block][rank] epochs of the start barrier, pull only
//   33792    middle     the same, of the middle barrier
//   66560    end        the same, of the end barrier
//   99328    headers    [copy][block][rank] of 8 bytes: epoch above, fingerprint below
//   524288   rows       [copy][sender][capacity] rows of words, the last pack filled up with zeros
//   sums     sums       [copy][most tokens] rows of words
//   staging  staging    [most tokens] rows, pull only
//   result   result     [most tokens] rows, pull only
#define LS_MOST_BLOCKS 1024
#define LS_MOST_RANKS 8
#define LS_AT_REARMED 0
#define LS_REARMED_STRIDE 128
#define LS_AT_START 1024
#define LS_AT_MIDDLE 33792
#define LS_AT_END 66560
#define LS_AT_HEADERS 99328
#define LS_AT_ROWS 524288

// How a call is exchanged, as headers and the state name it.
#define LS_NOTHING_YET 0
#define LS_ONE_SHOT_PUSH 1
#define LS_TWO_SHOT_PUSH 2
#define LS_ONE_SHOT_PULL 3
#define LS_TWO_SHOT_PULL 4

// What the device keeps from call to call, so that a captured graph can be replayed: the last call that ended.
struct alignas(16) LsState {
    u32 epoch;
    u32 tokens;
    u32 algorithm;
    u32 failed;
    u32 arrived;
    u32 claimed;
};

// Host memory that both sides reach. The host writes `abort`; the first thread that gives up writes the rest, `what` last.
struct LsReport {
    u32 abort;
    u32 what;
    u32 peer;
    u32 epoch;
    u32 block;
    u32 expected;
    u32 found;
};
#define LS_ABORTED 1
#define LS_NO_WORDS 2
#define LS_NO_HEADER 3
#define LS_NOT_REARMED 4
#define LS_NO_FLAG 5
#define LS_OTHER_CALL 6

struct LsArgs {
    const void *input;
    const void *residual;
    const void *weight;
    void *reduced;
    void *residual_out;
    void *out;
    u8 *memory[LS_MOST_RANKS]; // of each rank, as this one maps it
    LsState *state;
    LsReport *report;
    u64 deadline; // of one wait, in nanoseconds
    u64 sums;     // offsets into memory
    u64 staging;
    u64 result;
    u32 tokens;
    u32 capacity; // rows that a sender's part of `rows` holds
    u32 most_tokens;
    u32 rank;
    float epsilon;
    u32 reserved;
};

// What the threads of a block share.
struct LsBlock {
    float partials[2][LS_PARTIALS * LS_LANES]; // in turns: a warp may be one row ahead of another
    u32 votes;
};

// A thread's view of the running call.
struct LsCall {
    u32 epoch;
    u32 copy;
    u32 last_tokens;
    u32 last_algorithm;
    bool bad;  // this thread gave up, or an earlier call failed: the block stores nothing more
    u32 block; // among those that carry rows
    u32 blocks;
    bool holds_rows; // not a thread of the spare warp
    u32 lane;        // of the spare warp: one for each peer
};

LS_FN u32 ls_fingerprint(const LsArgs &a, u32 algorithm) { return a.tokens << 3 | algorithm; }

// ---- Waiting ----

struct LsWait {
    u32 polls;
    u64 since;
};
#define LS_POLLS_BETWEEN_LOOKS 1024
// The host's word lies across the bus: it is looked at less often, and by some threads only.
#define LS_POLLS_BETWEEN_FAR_LOOKS 16384

LS_FN void ls_fail(const LsArgs &a, LsCall &call, u32 what, u32 peer, u32 expected, u32 found) {
    call.bad = true;
    if (ls_claim(&a.state->claimed) == 0) {
        a.report->peer = peer;
        a.report->epoch = call.epoch;
        a.report->block = ls_block();
        a.report->expected = expected;
        a.report->found = found;
        // Pairs with the host's look at `what`; makes the rest of the report visible to it.
        ls_fence_release_sys();
        ls_store_relaxed_sys(&a.report->what, what);
    }
    ls_store_relaxed_sys(&a.state->failed, 1);
}

LS_FN bool ls_look(const LsArgs &a, LsCall &call, LsWait &wait, u32 what, u32 peer, u32 expected, u32 found) {
    u64 now = ls_nanos();
    if (wait.since == 0) {
        wait.since = now;
    }
    if (ls_load_relaxed_sys(&a.state->failed) != 0) {
        call.bad = true;
        return true;
    }
    if (wait.polls % LS_POLLS_BETWEEN_FAR_LOOKS == 0 && ls_load_relaxed_sys(&a.report->abort) != 0) {
        ls_fail(a, call, LS_ABORTED, peer, expected, found);
        return true;
    }
    if (now - wait.since > a.deadline) {
        ls_fail(a, call, what, peer, expected, found);
        return true;
    }
    return false;
}

// After a poll in vain: whether to give up. The clock and the abort words are looked at now and then only.
LS_FN bool ls_give_up(const LsArgs &a, LsCall &call, LsWait &wait, u32 what, u32 peer, u32 expected, u32 found) {
    ls_pause();
    return ++wait.polls % LS_POLLS_BETWEEN_LOOKS == 0 && ls_look(a, call, wait, what, peer, expected, found);
}

LS_FN bool ls_reached(u32 found, u32 epoch) { return (int)(found - epoch) >= 0; }

// ---- Where things lie ----

LS_FN u32 *ls_rearmed_flag(const LsArgs &a, u32 home, u32 from) { return (u32 *)(a.memory[home] + LS_AT_REARMED + from * LS_REARMED_STRIDE); }
LS_FN u32 *ls_barrier_flag(const LsArgs &a, u32 at, u32 home, u32 from) {
    return (u32 *)(a.memory[home] + at) + ls_block() * LS_MOST_RANKS + from;
}
LS_FN u64 *ls_header(const LsArgs &a, const LsCall &call, u32 home, u32 from) {
    return (u64 *)(a.memory[home] + LS_AT_HEADERS) + (call.copy * LS_MOST_BLOCKS + ls_block()) * LS_MOST_RANKS + from;
}
// A row of words in `rows`: what `from` has sent to `home`.
LS_FN u8 *ls_row_words(const LsArgs &a, u32 copy, u32 home, u32 from, u32 row) {
    return a.memory[home] + LS_AT_ROWS + ((u64)(copy * LS_RANKS + from) * a.capacity + row) * LS_ROW_BYTES;
}
LS_FN u8 *ls_sum_words(const LsArgs &a, u32 copy, u32 home, u32 row) {
    return a.memory[home] + a.sums + ((u64)copy * a.most_tokens + row) * LS_ROW_BYTES;
}

// ---- The beginning and the end of a call ----

LS_FN LsCall ls_begin(const LsArgs &a, LsBlock &shared, u32 carriers) {
    ls_wait_for_previous_kernel();
    ls_let_next_kernel_start();
    // The kernel boundary has made it visible.
    LsPack last = *(const LsPack *)a.state;
    LsCall call;
    call.epoch = LS_WAVE_UNIFORM(last.w[0]) + 1;
    call.copy = call.epoch % LS_COPIES;
    call.last_tokens = LS_WAVE_UNIFORM(last.w[1]);
    call.last_algorithm = LS_WAVE_UNIFORM(last.w[2]);
    // Calls that are queued behind a failed one drain.
    call.bad = LS_WAVE_UNIFORM(last.w[3]) != 0;
    call.block = ls_block();
    call.blocks = carriers;
    call.holds_rows = LS_ROLE(ls_thread() < LS_ROW_THREADS);
    call.lane = ls_thread() - LS_ROW_THREADS;
    ls_votes_begin(&shared.votes);
    return call;
}

LS_FN bool ls_is_peer(const LsArgs &a, const LsCall &call) { return !call.holds_rows && call.lane < LS_RANKS && call.lane != a.rank; }

// The spare warp names the call to every peer's block of the same number, by a word that carries its own arrival.
// Pairs with ls_check_headers; without it: litmus one-shot-push.
LS_FN void ls_send_headers(const LsArgs &a, const LsCall &call, u32 algorithm) {
    if (ls_is_peer(a, call)) {
        ls_store_word64_relaxed_sys(ls_header(a, call, call.lane, a.rank), (u64)call.epoch << 32 | ls_fingerprint(a, algorithm));
    }
}

// Before anything is stored: that every peer makes the same call. Headers of earlier calls have earlier epochs.
LS_FN void ls_check_headers(const LsArgs &a, LsCall &call, u32 algorithm) {
    if (!ls_is_peer(a, call)) {
        return;
    }
    LsWait wait = {};
    u32 mine = ls_fingerprint(a, algorithm);
    const u64 *at = ls_header(a, call, a.rank, call.lane);
    u64 found = ls_load_word64_relaxed_sys(at);
    while (!ls_reached((u32)(found >> 32), call.epoch)) {
        if (ls_give_up(a, call, wait, LS_NO_HEADER, call.lane, mine, (u32)(found >> 32))) {
            return;
        }
        found = ls_load_word64_relaxed_sys(at);
    }
    if (found != ((u64)call.epoch << 32 | mine)) {
        ls_fail(a, call, LS_OTHER_CALL, call.lane, mine, (u32)found);
    }
}

// Once for every block, by all of its threads when they have used what they know of the last call: the last block of the
// grid writes what the next call will know. Nobody waits for it but the spare warp.
LS_FN void ls_end(const LsArgs &a, const LsCall &call, u32 algorithm) {
    ls_meet(!call.holds_rows);
    if (!call.holds_rows && call.lane == 0 && ls_count(&a.state->arrived) == ls_blocks() - 1) {
        a.state->arrived = 0;
        a.state->tokens = a.tokens;
        a.state->algorithm = algorithm;
        a.state->epoch = call.epoch;
    }
}

// ---- Re-arming, which takes turns with the calls ----
//
// Hazard: a word re-armed late would overwrite one that a peer, a call ahead, has sent into the same copy.
// Invariant: a peer sends into copy (e mod 4) in call e only after it has seen that this rank's call e-3 has ended, in which
// the words of call e-4 were re-armed.
// Code: call e re-arms the words of call e-1; tells the peers that call e-1 has ended, all of its blocks included, since
// a kernel boundary lies between; and awaits that the peers' call e-2 has ended, so that call e+1 may send into the copy of
// call e-3. A block of its own does both, beside the rows.

LS_FN void ls_rearm_pack(u8 *row, u32 pack) {
    LsPack reserved = {{LS_RESERVED, LS_RESERVED, LS_RESERVED, LS_RESERVED}};
    ls_store_words_relaxed_sys(row + (u64)pack * 16, reserved);
}

// This block's share `step` of the words that the last call used: one row of every peer, or one group of rows.
LS_FN bool ls_rearm_step(const LsArgs &a, const LsCall &call, u32 step) {
    u32 copy = (call.epoch - 1) % LS_COPIES;
    u32 row = call.block + step * call.blocks;
    if (call.last_algorithm == LS_ONE_SHOT_PUSH) {
        if (row >= call.last_tokens) {
            return false;
        }
#pragma unroll
        for (u32 from = 0; from < LS_RANKS; from++) {
            u8 *at = ls_row_words(a, copy, a.rank, from, row);
            for (u32 pack = ls_thread(); from != a.rank && pack < LS_ROW_PACKS; pack += LS_ROW_THREADS) {
                ls_rearm_pack(at, pack);
            }
        }
        return true;
    }
    if (call.last_algorithm == LS_TWO_SHOT_PUSH) {
        // Row `row` of the senders is the rank's own row of group `row`; the group's other rows came as sums.
        u32 first = row * LS_RANKS;
        if (first >= call.last_tokens) {
            return false;
        }
#pragma unroll
        for (u32 other = 0; other < LS_RANKS; other++) {
            if (other == a.rank) {
                continue;
            }
            u8 *part = ls_row_words(a, copy, a.rank, other, row);
            u8 *sum = ls_sum_words(a, copy, a.rank, first + other);
            bool mine = first + a.rank < call.last_tokens;
            bool theirs = first + other < call.last_tokens;
            for (u32 pack = ls_thread(); pack < LS_ROW_PACKS; pack += LS_ROW_THREADS) {
                if (mine) {
                    ls_rearm_pack(part, pack);
                }
                if (theirs) {
                    ls_rearm_pack(sum, pack);
                }
            }
        }
        return true;
    }
    return false;
}

#endif
