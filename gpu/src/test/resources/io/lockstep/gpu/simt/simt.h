// A grid of threads on one thread of the host: what shim.h makes the kernels' vocabulary of, and what a driver starts
// kernels with. Every lane is a fiber. The scheduler is seeded and sees all ranks at once, so a run can be repeated; its
// clock counts its rounds, so no deadline depends on how busy the machine is.
//
// The lanes of a wave run one after the other from each point where they meet to the next, and poll when all have come
// as far as they can.
#ifndef SIMT_H
#define SIMT_H

#include <cstdint>

namespace simt {

// ---- For the driver ----

using Kernel = void (*)(const void *args);

// What a rank runs next.
struct Launch {
    Kernel kernel;
    const void *args;
    uint32_t blocks;
    uint64_t not_before; // of the clock
};

struct Options {
    uint32_t ranks;
    uint32_t most_blocks;
    uint32_t threads;      // of a block
    uint32_t wave;         // 32 or 64
    uint32_t shared_bytes; // of a block
    uint64_t seed;
    uint32_t skew;         // the most rounds that a rank, or a lane between two accesses, stands still for, now and then
    uint64_t most_nanos;   // of the clock, after which a run is ended as one that hangs
    bool late_stores;      // words that a rank stores into its own memory stay with it until a fence must move them
};

// Where in memory the words of a rank lie, for late stores.
struct Region {
    uint8_t *begin, *end;
};

class Driver {
public:
    virtual ~Driver() = default;
    // The next kernel of a rank; false when it has no more. Called when the one before has ended, whatever the others do.
    virtual bool next(uint32_t rank, Launch &launch) = 0;
    // After every round.
    virtual void round(uint64_t nanos) = 0;
};

// Runs all ranks to their end. Ends the process with a sentence where lanes wait for one another for ever, or where a
// barrier or a shuffle is not met by all of a wave in one way.
void run(const Options &options, const Region *regions, Driver &driver);

// ---- For the kernels ----

struct Place {
    uint32_t thread, block, blocks;
    void *shared;
};
extern Place here;

// Barriers. All lanes of a wave must come to one from the same line, and all of a block must come: who has ended is
// awaited for ever.
void syncthreads(int line);
// Some lanes pass and others wait.
void meet(int line, bool waits);
// What the first lane of a wave brings, for all of them. Orders nothing.
uint32_t uniform(uint32_t value);
float shuffle_xor(float value, uint32_t mask);
// Whether all of 32 neighbours bring true.
bool all(bool value);
void pause();
uint64_t nanos();

// Before an access that a peer sees: now and then the lane stands still there.
void may_break();

// Flags. Built for ThreadSanitizer, a fence is what it is in C++: see simt.cpp.
void store_flag(uint32_t *at, uint32_t value, bool release);
uint32_t load_flag(const uint32_t *at, bool acquire);
void fence(bool release, bool acquire);

// Words, where stores are late.
extern bool late_stores;
void store_late(uint32_t *at, uint32_t value);
uint32_t load_late(const uint32_t *at);

} // namespace simt

#endif
