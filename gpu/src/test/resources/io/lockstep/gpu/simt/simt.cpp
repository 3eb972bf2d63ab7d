// The fibers, barriers and shuffles behind simt.h. Compiled once, never instrumented itself: what ThreadSanitizer has to
// know of it is told by name, where SIMT_TSAN is set.
//
// ThreadSanitizer knows each lane as a fiber of its own, with a clock of its own; a switch between two orders nothing.
// It knows no fences. A lane that fences has two shadows beside it, fibers that run nothing but single accesses:
// - the releasing one takes over the lane's clock at every release fence, and stores the lane's later relaxed flags with
//   release: what the fence ordered goes with them, and what came after the fence does not;
// - the acquiring one loads the lane's relaxed flags with acquire; the lane takes over its clock at an acquire fence.
#include "simt.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <sys/mman.h>
#include <ucontext.h>
#include <unordered_map>
#include <vector>

#if defined(SIMT_TSAN)
extern "C" {
void *__tsan_get_current_fiber();
void *__tsan_create_fiber(unsigned flags);
void __tsan_destroy_fiber(void *fiber);
void __tsan_switch_to_fiber(void *fiber, unsigned flags);
void __tsan_acquire(void *at);
void __tsan_release(void *at);
uint32_t __tsan_atomic32_load(const volatile uint32_t *at, int order);
void __tsan_atomic32_store(volatile uint32_t *at, uint32_t value, int order);
}
#define TSAN(...) __VA_ARGS__
#else
#define TSAN(...)
#endif

namespace simt {

Place here;
bool late_stores;

namespace {

constexpr size_t STACK = 64 << 10;
constexpr unsigned NO_SYNC = 1;
constexpr uint64_t ROUND_NANOS = 100;
constexpr uint32_t NEIGHBOURS = 32;
// How long a late store stays at most, in rounds: some calls long.
constexpr uint32_t MOST_LATE = 4096;
constexpr uint32_t ROUNDS_BETWEEN_LOOKS = 64;
constexpr uint32_t MOST_BETWEEN_BREAKS = 400;

enum class State : uint8_t { ENDED, READY, POLLING, WAITING };

struct Block;
struct Barrier;

struct Lane {
    State state = State::ENDED;
    bool broken_off = false; // on a break
    Place place;
    Block *block;
    int line;               // of the kernels, where it waits
    const Barrier *awaited; // null in a shuffle
#if defined(SIMT_TSAN)
    ucontext_t context;
    void *fiber, *releasing, *acquiring;
    char release_token, acquire_token;
#else
    jmp_buf context;
    bool started = false;
    ucontext_t first;
#endif
};

// Phases alternate between two sets: nobody comes to the one after next before all have left this one.
struct Barrier {
    uint32_t arrived, phase;
    char token[2];
};

struct Exchange {
    uint32_t arrived, phase;
    uint32_t mask[2];
    float value[2][NEIGHBOURS];
};

// A wave's turn goes through all of its lanes, also where one takes a break in the middle.
struct Wave {
    State turn;
    uint32_t next = 0;
    uint32_t together = 0, meetings = 0;
    uint32_t value[2];
    uint64_t asleep_until = 0;
};

struct Block {
    uint32_t rank;
    Barrier all, passing;
    std::vector<Exchange> exchanges;
    std::vector<Lane> lanes;
    std::vector<Wave> waves;
    std::vector<uint64_t> shared;
};

struct Rank {
    std::vector<Block> blocks;
    Launch launch{};
    uint32_t unfinished = 0; // lanes
    uint32_t calls = 0;
    uint32_t asleep = 0;
    bool over = false;
    bool launching = false;
    char token = 0;
};

struct Late {
    uint32_t value, rank, call;
    uint64_t due;
};

Options options;
const Region *regions;
std::vector<Rank> ranks;
std::unordered_map<uint32_t *, Late> late;
Lane *running;
uint64_t clock_nanos, random_state;
uint32_t until_break;
#if defined(SIMT_TSAN)
void *main_fiber;
ucontext_t main_context;
#else
jmp_buf main_context;
#endif

uint32_t random(uint32_t below) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % below;
}

[[noreturn]] void fail(const Lane &lane, const char *what) {
    fprintf(stderr, "Rank %u, call %u, block %u, thread %u: %s\n", lane.block->rank, ranks[lane.block->rank].calls, lane.place.block, lane.place.thread, what);
    exit(4);
}

void leave() {
#if defined(SIMT_TSAN)
    Lane *lane = running;
    __tsan_switch_to_fiber(main_fiber, NO_SYNC);
    swapcontext(&lane->context, &main_context);
#else
    if (_setjmp(running->context) == 0) {
        _longjmp(main_context, 1);
    }
#endif
}

void live() {
    for (;;) {
        Rank &rank = ranks[running->block->rank];
        TSAN(__tsan_acquire(&rank.token);)
        rank.launch.kernel(rank.launch.args);
        TSAN(__tsan_release(&rank.token);)
        running->state = State::ENDED;
        leave();
    }
}

void enter(Lane &lane) {
    running = &lane;
    here = lane.place;
#if defined(SIMT_TSAN)
    __tsan_switch_to_fiber(lane.fiber, NO_SYNC);
    swapcontext(&main_context, &lane.context);
#else
    if (_setjmp(main_context) == 0) {
        if (!lane.started) {
            lane.started = true;
            setcontext(&lane.first);
        }
        _longjmp(lane.context, 1);
    }
#endif
}

void prepare(Lane &lane, char *stack) {
#if defined(SIMT_TSAN)
    ucontext_t &first = lane.context;
    lane.fiber = __tsan_create_fiber(0);
    lane.releasing = lane.acquiring = nullptr;
#else
    ucontext_t &first = lane.first;
#endif
    getcontext(&first);
    first.uc_stack.ss_sp = stack;
    first.uc_stack.ss_size = STACK;
    first.uc_link = nullptr;
    makecontext(&first, live, 0);
}

// All lanes of a wave come to a barrier from one place, or the wave would be counted twice.
void check_waves(const Block &block, const Barrier &barrier) {
    const Lane *first = nullptr;
    for (const Lane &lane : block.lanes) {
        if (lane.place.thread % options.wave == 0) {
            first = nullptr;
        }
        if (lane.state == State::ENDED || lane.awaited != &barrier) {
            continue;
        }
        if (first != nullptr && first->line != lane.line) {
            fail(lane, "The lanes of a wave came to a barrier in two ways.");
        }
        first = &lane;
    }
}

// The last one wakes the others.
void complete(Block &block, Barrier &barrier) {
    check_waves(block, barrier);
    barrier.arrived = 0;
    barrier.phase++;
    for (Lane &lane : block.lanes) {
        if (lane.state == State::WAITING && lane.awaited == &barrier) {
            lane.state = State::READY;
        }
    }
}

void arrive(Barrier &barrier, int line, bool waits) {
    Lane &lane = *running;
    uint32_t phase = barrier.phase & 1;
    TSAN(__tsan_release(&barrier.token[phase]);)
    lane.line = line;
    lane.awaited = &barrier;
    if (++barrier.arrived == options.threads) {
        complete(*lane.block, barrier);
    } else if (waits) {
        lane.state = State::WAITING;
        leave();
    }
    if (waits) {
        lane.awaited = nullptr;
        TSAN(__tsan_acquire(&barrier.token[phase]);)
    }
}

#if defined(SIMT_TSAN)
void drop_shadows(Lane &lane) {
    for (void **shadow : {&lane.releasing, &lane.acquiring}) {
        if (*shadow != nullptr) {
            __tsan_destroy_fiber(*shadow);
            *shadow = nullptr;
        }
    }
}
#endif

void start(uint32_t r, Driver &driver) {
    Rank &rank = ranks[r];
    if (!rank.launching && !driver.next(r, rank.launch)) {
        rank.over = true;
        return;
    }
    rank.launching = clock_nanos < rank.launch.not_before;
    if (rank.launching) {
        return;
    }
    TSAN(__tsan_release(&rank.token);) // what the driver has prepared; it takes nothing over itself, which would order ranks
    rank.calls++;
    for (uint32_t b = 0; b < rank.launch.blocks; b++) {
        Block &block = rank.blocks[b];
        block.all.arrived = block.passing.arrived = 0;
        for (volatile uint64_t &word : block.shared) { // by stores that no tool sees
            word = 0xA5A5A5A5A5A5A5A5;
        }
        for (Exchange &exchange : block.exchanges) {
            exchange.arrived = 0;
        }
        for (Lane &lane : block.lanes) {
            lane.state = State::READY;
            lane.awaited = nullptr;
            lane.place.blocks = rank.launch.blocks;
            TSAN(drop_shadows(lane);)
        }
    }
    rank.unfinished = rank.launch.blocks * options.threads;
}

// Those that have been woken come first: they are behind the ones that poll already.
State turn_of(const Block &block, uint32_t first, uint32_t end) {
    for (uint32_t i = first; i < end; i++) {
        if (block.lanes[i].state == State::READY) {
            return State::READY;
        }
    }
    return State::POLLING;
}

bool step(Rank &rank, Block &block, uint32_t number) {
    uint32_t first = number * options.wave;
    uint32_t end = first + options.wave < options.threads ? first + options.wave : options.threads;
    Wave &wave = block.waves[number];
    if (wave.asleep_until > clock_nanos) {
        return true;
    }
    if (wave.next == 0) {
        wave.turn = turn_of(block, first, end);
    }
    bool ran = false;
    for (uint32_t i = first + wave.next; i < end; i++) {
        Lane &lane = block.lanes[i];
        if (lane.state != wave.turn && !lane.broken_off) {
            continue;
        }
        ran = true;
        lane.broken_off = false;
        lane.state = State::READY;
        enter(lane);
        if (lane.broken_off) {
            wave.next = i - first;
            // Mostly short, and now and then as long as some calls.
            uint32_t most = random(32) == 0 ? options.skew * 32 : options.skew;
            wave.asleep_until = clock_nanos + random(most) * ROUND_NANOS;
            return true;
        }
        if (lane.state == State::ENDED) {
            rank.unfinished--;
        }
    }
    wave.next = 0;
    return ran;
}

template <typename Which>
void flush(Which which) {
    for (auto it = late.begin(); it != late.end();) {
        if (which(it->second)) {
            *it->first = it->second.value;
            it = late.erase(it);
        } else {
            ++it;
        }
    }
}

void report_deadlock() {
    for (const Rank &rank : ranks) {
        for (const Block &block : rank.blocks) {
            for (const Lane &lane : block.lanes) {
                if (!rank.over && rank.unfinished > 0 && lane.place.block < rank.launch.blocks && lane.state == State::WAITING) {
                    fail(lane, lane.awaited == nullptr ? "It waits in a shuffle that its neighbours never join." : "It waits at a barrier that others never reach.");
                }
            }
        }
    }
}

} // namespace

void run(const Options &chosen, const Region *where, Driver &driver) {
    options = chosen;
    regions = where;
    late_stores = chosen.late_stores;
    random_state = chosen.seed * 2 + 1;
    until_break = MOST_BETWEEN_BREAKS;
    TSAN(main_fiber = __tsan_get_current_fiber();)
    size_t lanes = (size_t)options.ranks * options.most_blocks * options.threads;
    char *stacks = (char *)mmap(nullptr, lanes * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED) {
        fprintf(stderr, "There is no memory for the stacks of %zu lanes.\n", lanes);
        exit(4);
    }
    ranks = std::vector<Rank>(options.ranks);
    for (uint32_t r = 0; r < options.ranks; r++) {
        ranks[r].blocks = std::vector<Block>(options.most_blocks);
        for (uint32_t b = 0; b < options.most_blocks; b++) {
            Block &block = ranks[r].blocks[b];
            block.rank = r;
            block.all = block.passing = {};
            block.exchanges = std::vector<Exchange>(options.threads / NEIGHBOURS);
            block.shared = std::vector<uint64_t>(options.shared_bytes / sizeof(uint64_t) + 1);
            block.lanes = std::vector<Lane>(options.threads);
            block.waves = std::vector<Wave>((options.threads + options.wave - 1) / options.wave);
            for (uint32_t t = 0; t < options.threads; t++) {
                Lane &lane = block.lanes[t];
                lane.block = &block;
                lane.place = {t, b, 0, block.shared.data()};
                prepare(lane, stacks);
                stacks += STACK;
            }
        }
    }
    for (uint32_t over = 0; over < options.ranks;) {
        clock_nanos += ROUND_NANOS;
        bool ran = false;
        over = 0;
        uint32_t turn = random(options.ranks);
        for (uint32_t i = 0; i < options.ranks; i++) {
            uint32_t r = (turn + i) % options.ranks;
            Rank &rank = ranks[r];
            if (rank.over) {
                over++;
                continue;
            }
            if (options.skew > 0 && rank.asleep == 0 && random(128) == 0) {
                rank.asleep = random(options.skew);
            }
            if (rank.asleep > 0) {
                rank.asleep--;
                ran = true;
                continue;
            }
            if (rank.unfinished == 0) {
                start(r, driver);
                ran = true;
                continue;
            }
            uint32_t first_block = random(rank.launch.blocks);
            for (uint32_t b = 0; b < rank.launch.blocks; b++) {
                Block &block = rank.blocks[(first_block + b) % rank.launch.blocks];
                uint32_t waves = (uint32_t)block.waves.size();
                uint32_t first_wave = random(waves);
                for (uint32_t w = 0; w < waves; w++) {
                    if (random(16) == 0) {
                        ran = true;
                        continue;
                    }
                    ran |= step(rank, block, (first_wave + w) % waves);
                }
            }
        }
        if (!late.empty() && clock_nanos / ROUND_NANOS % ROUNDS_BETWEEN_LOOKS == 0) {
            flush([](const Late &word) { return word.due <= clock_nanos; });
        }
        driver.round(clock_nanos);
        if (clock_nanos > options.most_nanos) {
            fprintf(stderr, "The calls have not ended after %llu ms of the clock.\n", (unsigned long long)options.most_nanos / 1000000);
            exit(5);
        }
        if (!ran) {
            report_deadlock();
        }
    }
    for (uint32_t r = 0; r < options.ranks; r++) {
        TSAN(__tsan_acquire(&ranks[r].token);)
    }
}

void pause() {
    running->state = State::POLLING;
    leave();
}

uint64_t nanos() { return clock_nanos; }

void may_break() {
    if (options.skew > 0 && --until_break == 0) {
        until_break = 1 + random(MOST_BETWEEN_BREAKS);
        running->broken_off = true;
        leave();
    }
}

} // namespace simt

#include "meetings.h"
#include "memory.h"
