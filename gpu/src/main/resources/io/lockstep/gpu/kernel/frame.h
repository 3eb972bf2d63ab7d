// What every call has around its algorithm: its arguments, the layout of the memory that peers reach, waiting with a
// deadline, the header that names the call, and the re-arming of words.
//
// Set from outside: LS_RANKS, LS_RESIDUAL and LS_NORM (0 or 1: the parts of the operation), and LS_RANK, or not.
#ifndef LS_FRAME_H
#define LS_FRAME_H

// This rank: known while compiling where LS_RANK is set, which makes the code shorter.
#if defined(LS_RANK)
#define LS_ME ((u32)LS_RANK)
#else
#define LS_ME (a.rank)
#endif
// Packs of a row that one thread holds.
#define LS_HELD ((LS_ROW_PACKS + LS_ROW_THREADS - 1) / LS_ROW_THREADS)
#define LS_ROW_BYTES ((u64)LS_ROW_PACKS * 16)
// Whether a thread has no more registers than it needs at once: it then loads and computes again what it would else keep.
#define LS_TIGHT (LS_HELD > 1 || LS_ROW_WARPS > 16 || (LS_RANKS > 4 && LS_ROW_WARPS > 12))
// Packs of peers that a thread asks for before the first one is used.
#define LS_AHEAD (LS_HELD > 1 || LS_ROW_WARPS > 16 ? 4 : LS_MOST_RANKS)
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
    u32 carriers; // blocks that carry rows; the others of the grid re-arm
};

// What all threads of a block must know before they store a row, in one access.
struct alignas(16) LsVerdict {
    float scale;
    float squares;
    u32 unusual; // whether the row may hold anything but finite numbers, and `scale` is not to be taken
    u32 bad;     // whether a thread gave up; once raised it stays
};

// What the threads of a block share. A barrier lies between every write and every read, whichever comes first: a row has
// two, and its partials are written before the first, read between the two, and written again behind the second; the
// verdict is written between the two and read behind the second.
struct LsBlock {
    float partials[LS_PARTIALS * LS_LANES];
    LsVerdict verdict;
};

// A thread's view of the running call.
struct LsCall {
    u32 epoch;
    u32 copy;
    u32 last_tokens;
    u32 last_algorithm;
    bool bad;            // this thread gave up, or knows that an earlier call failed; another one may not know it yet
    bool unusual_weight; // this thread's part of it holds anything but finite numbers
    u32 thread;          // of the block
    u32 block;           // among those that carry rows
    u32 blocks;
    bool holds_rows;     // not a thread of the spare warp
    u32 lane;            // of the spare warp: one for each peer
};

LS_FN u32 ls_fingerprint(const LsArgs &a, u32 algorithm) { return a.tokens << 3 | algorithm; }

// ---- Waiting ----

// The first thread that gives up says why.
LS_RARE void ls_report(const LsArgs &a, u32 epoch, u32 what, u32 peer, u32 expected, u32 found) {
    if (ls_claim(&a.state->claimed) == 0) {
        a.report->peer = peer;
        a.report->epoch = epoch;
        a.report->block = ls_block();
        a.report->expected = expected;
        a.report->found = found;
        // Pairs with the host's look at `what`; makes the rest of the report visible to it; without it: litmus acquire-only.
        ls_fence_release_sys();
        ls_store_relaxed_sys(&a.report->what, what);
    }
    ls_store_relaxed_sys(&a.state->failed, 1);
}

#define LS_POLLS_BETWEEN_LOOKS 1024
// The host's word lies across the bus: it is looked at less often.
#define LS_POLLS_BETWEEN_FAR_LOOKS 16384

// Looks at the clock and the abort words. The time at which the waiting began, or 0 to give up.
LS_RARE u64 ls_look(const LsArgs &a, u64 since, u32 polls, u32 epoch, u32 what, u32 peer, u32 expected, u32 found) {
    u64 now = ls_nanos();
    since = since == 0 ? now : since;
    if (ls_load_relaxed_sys(&a.state->failed) != 0) {
        return 0;
    }
    bool aborted = polls % LS_POLLS_BETWEEN_FAR_LOOKS == 0 && ls_load_relaxed_sys(&a.report->abort) != 0;
    if (aborted || now - since > a.deadline) {
        ls_report(a, epoch, aborted ? LS_ABORTED : what, peer, expected, found);
        return 0;
    }
    return since;
}

struct LsWait {
    u32 polls;
    u64 since;
};

// After a poll in vain: whether to give up.
LS_FN bool ls_give_up(const LsArgs &a, LsCall &call, LsWait &wait, u32 what, u32 peer, u32 expected, u32 found) {
    ls_pause();
    if (++wait.polls % LS_POLLS_BETWEEN_LOOKS == 0) {
        wait.since = ls_look(a, wait.since, wait.polls, call.epoch, what, peer, expected, found);
        call.bad = wait.since == 0;
    }
    return call.bad;
}

LS_FN bool ls_reached(u32 found, u32 epoch) { return (int)(found - epoch) >= 0; }

// ---- Where things lie ----

LS_FN u32 *ls_rearmed_flag(const LsArgs &a, u32 home, u32 from) { return (u32 *)(a.memory[home] + LS_AT_REARMED + from * LS_REARMED_STRIDE); }
LS_FN u32 *ls_barrier_flag(const LsArgs &a, u32 at, u32 home, u32 from) {
    return (u32 *)(a.memory[home] + at) + ls_block() * LS_MOST_RANKS + from;
}
LS_FN u64 *ls_header(const LsArgs &a, const LsCall &call, u32 home, u32 from) {
    return (u64 *)(a.memory[home] + LS_AT_HEADERS) + (call.copy * LS_MOST_BLOCKS + call.block) * LS_MOST_RANKS + from;
}
// Packs are counted in 32 bits: an area has less than 64 GiB of them, or the plan is refused.

// The first pack of a row of words in `rows`: what `from` has sent.
LS_FN u32 ls_row_words(const LsArgs &a, u32 copy, u32 from, u32 row) {
    return ((copy * LS_RANKS + from) * a.capacity + row) * LS_ROW_PACKS;
}
// The first pack of a row of sums.
LS_FN u32 ls_sum_words(const LsArgs &a, u32 copy, u32 row) { return (copy * a.most_tokens + row) * LS_ROW_PACKS; }
LS_FN u8 *ls_rows(const LsArgs &a, u32 home) { return a.memory[home] + LS_AT_ROWS; }
LS_FN u8 *ls_sums(const LsArgs &a, u32 home) { return a.memory[home] + a.sums; }

// ---- The beginning and the end of a call ----

// A kernel's threads and their roles, after every earlier kernel.
LS_FN LsCall ls_enter(LsBlock &shared, u32 blocks) {
    LsCall call = {};
    // Kept in registers where there are some left: the compiler would else read them again, which takes as long as ten additions.
    call.thread = LS_TIGHT ? ls_thread() : ls_anew(ls_thread());
    call.block = LS_TIGHT ? ls_block() : ls_anew(ls_block());
    call.blocks = blocks;
    call.holds_rows = LS_ROLE(call.thread < LS_ROW_THREADS);
    call.lane = call.thread - LS_ROW_THREADS;
    ls_wait_for_previous_kernel();
    ls_let_next_kernel_start();
    // Raised behind the first barrier at the earliest.
    if (!call.holds_rows && call.lane == 0) {
        shared.verdict.bad = 0;
    }
    return call;
}

// Whether any thread of the block gave up: all of them come here, and hear the same.
LS_FN bool ls_anyone_bad(LsBlock &shared, const LsCall &call) {
    ls_syncthreads();
    if (call.bad) {
        ls_raise(&shared.verdict.bad);
    }
    ls_syncthreads();
    return LS_WAVE_UNIFORM(shared.verdict.bad) != 0;
}

// What is known of the last call: the number of this one, and whether that one failed.
LS_FN void ls_recall(const LsArgs &a, LsCall &call) {
    // The kernel boundary has made it visible.
    LsPack last = *(const LsPack *)a.state;
    call.epoch = LS_WAVE_UNIFORM(last.w[0]) + 1;
    call.copy = call.epoch % LS_COPIES;
    call.last_tokens = LS_WAVE_UNIFORM(last.w[1]);
    call.last_algorithm = LS_WAVE_UNIFORM(last.w[2]);
    // Calls that are queued behind a failed one drain.
    call.bad = LS_WAVE_UNIFORM(last.w[3]) != 0;
}

LS_FN bool ls_is_peer(const LsArgs &a, const LsCall &call) { return !call.holds_rows && call.lane < LS_RANKS && call.lane != LS_ME; }

// The spare warp names the call to every peer's block of the same number, by a word that carries its own arrival.
// Pairs with ls_check_headers; without it: litmus one-shot-push.
LS_FN void ls_send_headers(const LsArgs &a, const LsCall &call, u32 algorithm) {
    if (ls_is_peer(a, call)) {
        ls_store_word64_relaxed_sys(ls_header(a, call, call.lane, LS_ME), (u64)call.epoch << 32 | ls_fingerprint(a, algorithm));
    }
}

// Before anything is stored: that every peer makes the same call. Headers of earlier calls have earlier epochs.
// Pairs with ls_send_headers; without it: litmus one-shot-push.
LS_FN void ls_check_headers(const LsArgs &a, LsCall &call, u32 algorithm) {
    if (!ls_is_peer(a, call)) {
        return;
    }
    LsWait wait = {};
    u32 mine = ls_fingerprint(a, algorithm);
    const u64 *at = ls_header(a, call, LS_ME, call.lane);
    u64 found = ls_load_word64_relaxed_sys(at);
    while (!ls_reached((u32)(found >> 32), call.epoch)) {
        if (ls_give_up(a, call, wait, LS_NO_HEADER, call.lane, mine, (u32)(found >> 32))) {
            return;
        }
        found = ls_load_word64_relaxed_sys(at);
    }
    if (found != ((u64)call.epoch << 32 | mine)) {
        ls_report(a, call.epoch, LS_OTHER_CALL, call.lane, mine, (u32)found);
        call.bad = true;
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
// call e-3. Blocks of their own do it, beside those that carry rows.

// Pairs with ls_receive_sum and ls_receive_row of call e+3; without it: litmus one-shot-push, two-shot-push.
LS_FN void ls_rearm_row(u8 *area, u32 words) {
    LsPack reserved = {{LS_RESERVED, LS_RESERVED, LS_RESERVED, LS_RESERVED}};
#pragma unroll 1
    for (u32 pack = ls_thread(); pack < LS_ROW_PACKS; pack += LS_THREADS) {
        ls_store_words_relaxed_sys(area + (u64)(words + pack) * 16, reserved);
    }
}

// The words that the last call used, in shares of the `of` blocks that do this.
LS_FN void ls_rearm(const LsArgs &a, const LsCall &call, u32 share, u32 of) {
    u32 copy = (call.epoch - 1) % LS_COPIES;
    if (call.last_algorithm == LS_ONE_SHOT_PUSH) {
#pragma unroll 1
        for (u32 i = share; i < call.last_tokens * LS_RANKS; i += of) {
            if (i % LS_RANKS != LS_ME) {
                ls_rearm_row(ls_rows(a, LS_ME), ls_row_words(a, copy, i % LS_RANKS, i / LS_RANKS));
            }
        }
    } else if (call.last_algorithm == LS_TWO_SHOT_PUSH) {
        // Of each group of rows: this rank's own, from every sender; and the sums of the others.
#pragma unroll 1
        for (u32 i = share; i < call.last_tokens; i += of) {
            u32 group = i / LS_RANKS;
            if (i % LS_RANKS != LS_ME) {
                ls_rearm_row(ls_sums(a, LS_ME), ls_sum_words(a, copy, i));
                continue;
            }
#pragma unroll 1
            for (u32 from = 0; from < LS_RANKS; from++) {
                if (from != LS_ME) {
                    ls_rearm_row(ls_rows(a, LS_ME), ls_row_words(a, copy, from, group));
                }
            }
        }
    }
}

#endif
