// Runs one kernel at a time on the calling thread, every lane a fiber; the kernels of other ranks run on other threads at
// the same time, each from a library of its own. What shim.h asks of simt.h, with the clock of the machine.
//
// A kernel's one parameter is a struct of more than 16 bytes, which the ABI passes in memory: all of them are called as if
// it were the largest, of which a kernel with a smaller one reads the beginning.
#include "kernels.cu"

#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace simt {

Place here;
bool late_stores;

namespace {

constexpr size_t STACK = 64 * 1024;
constexpr uint32_t NEIGHBOURS = 32;

struct Barrier {
    uint32_t arrived = 0, generation = 0;
};

struct Exchange {
    Barrier all;
    float value[2][NEIGHBOURS];
};

struct Block {
    Barrier all, passing;
    std::vector<Exchange> exchanges;
    std::vector<LsPack> shared;
};

// Switched by jumps: a switch of ucontext_t asks the system for the mask of signals, which takes longer than what most
// lanes do between two.
struct Lane {
    jmp_buf context;
    bool started;
    Place place;
    Block *block;
    const Barrier *awaited; // and the generation that it has to leave behind
    uint32_t generation;
    bool ended;
};

using Entry = void (*)(const LsArgs);

std::vector<Block> blocks;
std::vector<Lane> lanes;
Lane *running;
jmp_buf scheduler;
Entry kernel;
const LsArgs *arguments;
char *stacks;
size_t stack_count;

void leave() {
    if (_setjmp(running->context) == 0) {
        _longjmp(scheduler, 1);
    }
}

void complete(Barrier &barrier) {
    barrier.arrived = 0;
    barrier.generation++;
}

void arrive(Barrier &barrier, uint32_t expected, bool waits) {
    if (++barrier.arrived == expected) {
        complete(barrier);
    } else if (waits) {
        running->awaited = &barrier;
        running->generation = barrier.generation;
        leave();
    }
}

void live() {
    kernel(*arguments);
    running->ended = true;
    _longjmp(scheduler, 1);
}

void begin(char *stack) {
    ucontext_t first;
    getcontext(&first);
    first.uc_stack.ss_sp = stack;
    first.uc_stack.ss_size = STACK;
    first.uc_link = nullptr;
    makecontext(&first, live, 0);
    setcontext(&first);
}

void enter(Lane &lane, char *stack) {
    running = &lane;
    here = lane.place;
    if (_setjmp(scheduler) == 0) {
        if (lane.started) {
            _longjmp(lane.context, 1);
        }
        lane.started = true;
        begin(stack);
    }
}

} // namespace

void syncthreads(int) { arrive(running->block->all, LS_THREADS, true); }
void meet(int, bool waits) { arrive(running->block->passing, LS_THREADS, waits); }

float shuffle_xor(float value, uint32_t mask) {
    uint32_t me = here.thread % NEIGHBOURS;
    Exchange &exchange = running->block->exchanges[here.thread / NEIGHBOURS];
    uint32_t phase = exchange.all.generation & 1;
    exchange.value[phase][me] = value;
    arrive(exchange.all, NEIGHBOURS, true);
    return exchange.value[phase][me ^ mask];
}
// Each by itself, which is right as well: a vote of all that wait would take longer than what they wait for.
bool all(bool value) { return value; }

// Lanes run one after the other; the state of the last call changes only when all have read it and met.
uint32_t uniform(uint32_t value) { return value; }
void pause() { leave(); }

uint64_t nanos() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void may_break() {}
void store_flag(uint32_t *at, uint32_t value, bool release) { __atomic_store_n(at, value, release ? __ATOMIC_RELEASE : __ATOMIC_RELAXED); }
uint32_t load_flag(const uint32_t *at, bool acquire) { return acquire ? __atomic_load_n(at, __ATOMIC_ACQUIRE) : __atomic_load_n(at, __ATOMIC_RELAXED); }
void fence(bool release, bool) { __atomic_thread_fence(release ? __ATOMIC_RELEASE : __ATOMIC_ACQUIRE); }
void store_late(uint32_t *at, uint32_t value) { *at = value; }
uint32_t load_late(const uint32_t *at) { return *at; }

} // namespace simt

extern "C" int live_threads() { return LS_THREADS; }

// 0 when the kernel has ended.
extern "C" int live_launch(void *entry, const LsArgs *args, uint32_t count) {
    using namespace simt;
    kernel = (Entry)entry;
    arguments = args;
    size_t needed = (size_t)count * LS_THREADS;
    if (needed > stack_count) {
        void *more = mmap(nullptr, needed * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (more == MAP_FAILED) {
            return 1;
        }
        if (stacks != nullptr) {
            munmap(stacks, stack_count * STACK);
        }
        stacks = (char *)more;
        stack_count = needed;
    }
    blocks = std::vector<Block>(count);
    lanes = std::vector<Lane>(needed);
    for (uint32_t b = 0; b < count; b++) {
        blocks[b].exchanges = std::vector<Exchange>(LS_THREADS / NEIGHBOURS);
        blocks[b].shared = std::vector<LsPack>(sizeof(LsBlock) / sizeof(LsPack) + 1, LsPack{{0xA5A5A5A5, 0xA5A5A5A5, 0xA5A5A5A5, 0xA5A5A5A5}});
        for (uint32_t t = 0; t < LS_THREADS; t++) {
            Lane &lane = lanes[(size_t)b * LS_THREADS + t];
            lane.place = {t, b, count, blocks[b].shared.data()};
            lane.block = &blocks[b];
            lane.awaited = nullptr;
            lane.started = lane.ended = false;
        }
    }
    for (size_t left = needed; left > 0;) {
        left = 0;
        for (size_t index = 0; index < needed; index++) {
            Lane &lane = lanes[index];
            if (lane.ended) {
                continue;
            }
            left++;
            if (lane.awaited != nullptr && lane.awaited->generation == lane.generation) {
                continue;
            }
            lane.awaited = nullptr;
            enter(lane, stacks + index * STACK);
        }
        sched_yield();
    }
    return 0;
}
