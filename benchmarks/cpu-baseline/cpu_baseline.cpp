// The yardstick for the CPU backend: all-reduce, residual add and RMSNorm in bf16 between processes of one machine,
// in the two ways that are worth comparing with.
//
//   deepspeed-like   What serving stacks do today. A shared-memory all-reduce (below 1 MiB every rank adds everything,
//                    above it every rank adds its slice and shares it; pieces of 32 MiB), and after it, as a second
//                    pass over the tensor, residual add and RMSNorm.
//   fused            The best form known: the input goes through a ring of chunks, and every rank adds, normalises and
//                    stores row by row. Copy "plain" stages through the cache, copy "nt" past it, and then prefetches the
//                    peers' rows.
//   bytes-copy       No collective: each rank copies the tensor once within its own memory.
//
// Both collectives work in place (out replaces the input, residual_out the residual) and round where the contract
// rounds: the fp32 sum in rank order, the residual sum, the result. The squares are added in whatever order the
// vectors give, multiply-adds may be fused and NaN is not canonicalised: all three favour this program.
//
// Ranks are forked processes, one pinned to each allowed CPU in turn. Before each iteration every rank rewrites its input
// and residual, untimed; a barrier; then the call is timed. A sample is the slowest rank's time; while ranks spin on
// CPUs of their own, samples in which another process took a rank's CPU are set aside. Nothing waits without a deadline.

#include <immintrin.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

// ---------------------------------------------------------------------------------------------------------------------
// What is measured

enum class Algorithm : int { DeepSpeedLike, Fused, BytesCopy };
enum class Copy : int { Plain, NonTemporal };
enum class Wait : int { Spin, Yield };

constexpr const char *kAlgorithmNames[] = {"deepspeed-like", "fused", "bytes-copy"};
constexpr const char *kCopyNames[] = {"plain", "nt"};

struct Shape {
    int64_t tokens;
    int64_t hidden;
    int64_t elements() const { return tokens * hidden; }
    int64_t bytes() const { return 2 * elements(); }
};

struct Block {
    Shape shape;
    Algorithm algorithm;
    Copy copy;
    int millis;
};

using Clock = std::chrono::steady_clock;

/** How often another process has taken this one's CPU. A yield counts as well. */
int64_t preemptions() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nivcsw;
}

double nanosSince(Clock::time_point start) {
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

// ---------------------------------------------------------------------------------------------------------------------
// bf16 in vectors
//
// A vector of 32-bit words holds twice as many bf16 values. The even ones become floats by a shift, the odd ones by a
// mask, so nothing is ever permuted.

#ifdef __AVX512F__
constexpr int kVectorBytes = 64;
#else
constexpr int kVectorBytes = 32;
#endif
constexpr int64_t kStep = kVectorBytes / 2;   // bf16 values in a vector
constexpr int64_t kAligned = 32;              // hidden sizes are multiples of this: one cache line

typedef uint32_t Words __attribute__((vector_size(kVectorBytes)));
typedef float Floats __attribute__((vector_size(kVectorBytes)));
typedef uint32_t StoredWords __attribute__((vector_size(kVectorBytes), may_alias, aligned(2)));

constexpr uint32_t kHighHalf = 0xffff0000u;

struct Pair {
    Floats even;
    Floats odd;

    static Pair load(const uint16_t *from) {
        Words words = *reinterpret_cast<const StoredWords *>(from);
        return {(Floats)(words << 16), (Floats)(words & kHighHalf)};
    }
    void add(Pair other) {
        even += other.even;
        odd += other.odd;
    }
    /** Rounded to bf16, to nearest even, and still held as floats. */
    Pair rounded() const { return {(Floats)(roundUp(even) & kHighHalf), (Floats)(roundUp(odd) & kHighHalf)}; }
    /** Stores values that are already rounded. */
    void storeRounded(uint16_t *to) const {
        *reinterpret_cast<StoredWords *>(to) = ((Words)even >> 16) | (Words)odd;
    }
    void store(uint16_t *to) const {
        *reinterpret_cast<StoredWords *>(to) = (roundUp(even) >> 16) | (roundUp(odd) & kHighHalf);
    }

    static Words roundUp(Floats value) {
        Words bits = (Words)value;
        return bits + 0x7fff + ((bits >> 16) & 1);
    }
};

float sumOfLanes(Floats lanes) {
    float sum = 0;
    for (int i = 0; i < kVectorBytes / 4; i++) sum += lanes[i];
    return sum;
}

/** Adds N inputs in rank order and stores the rounded sum. */
template <int N>
void addAll(const uint16_t *const *inputs, uint16_t *out, int64_t elements) {
    for (int64_t i = 0; i < elements; i += kStep) {
        Pair sum = Pair::load(inputs[0] + i);
        for (int n = 1; n < N; n++) sum.add(Pair::load(inputs[n] + i));
        sum.store(out + i);
    }
}

/** Adds N rows in rank order and the residual to them, stores the residual and returns the sum of its squares. */
template <int N, bool Prefetch>
float addRow(const uint16_t *const *inputs, uint16_t *residual, int64_t hidden, int self, int64_t prefetchable) {
    constexpr int64_t kAhead = 1024;   // bf16 values: 2 KiB
    Pair squares = {Floats{}, Floats{}};
    for (int64_t i = 0; i < hidden; i += kStep) {
        if (Prefetch && i % kAligned == 0) {
            int64_t ahead = std::min(i + kAhead, prefetchable);
            for (int n = 0; n < N; n++) {
                if (n != self) _mm_prefetch(reinterpret_cast<const char *>(inputs[n] + ahead), _MM_HINT_T0);
            }
        }
        Pair sum = Pair::load(inputs[0] + i);
        for (int n = 1; n < N; n++) sum.add(Pair::load(inputs[n] + i));
        Pair updated = sum.rounded();
        updated.add(Pair::load(residual + i));
        updated = updated.rounded();
        updated.storeRounded(residual + i);
        squares.even += updated.even * updated.even;
        squares.odd += updated.odd * updated.odd;
    }
    return sumOfLanes(squares.even + squares.odd);
}

void normalizeRow(const uint16_t *residual, const uint16_t *weight, uint16_t *out, int64_t hidden, float squares) {
    constexpr float kEpsilon = 1e-5f;
    float scale = 1.0f / std::sqrt(squares / static_cast<float>(hidden) + kEpsilon);
    for (int64_t i = 0; i < hidden; i += kStep) {
        Pair value = Pair::load(residual + i);
        Pair factor = Pair::load(weight + i);
        Pair{value.even * scale * factor.even, value.odd * scale * factor.odd}.store(out + i);
    }
}

/** Turns the number of ranks into a template argument, from 1 to 8. */
template <typename Call>
auto withRanks(int ranks, Call call) {
    switch (ranks) {
        case 1: return call(std::integral_constant<int, 1>{});
        case 2: return call(std::integral_constant<int, 2>{});
        case 3: return call(std::integral_constant<int, 3>{});
        case 4: return call(std::integral_constant<int, 4>{});
        case 5: return call(std::integral_constant<int, 5>{});
        case 6: return call(std::integral_constant<int, 6>{});
        case 7: return call(std::integral_constant<int, 7>{});
        default: return call(std::integral_constant<int, 8>{});
    }
}

void copyBytes(void *to, const void *from, int64_t bytes, Copy copy) {
    if (copy == Copy::Plain) {
        std::memcpy(to, from, static_cast<size_t>(bytes));
        return;
    }
    auto *source = static_cast<const char *>(from);
    auto *target = static_cast<char *>(to);
    for (int64_t i = 0; i < bytes; i += kVectorBytes) {
#ifdef __AVX512F__
        _mm512_stream_si512(reinterpret_cast<__m512i *>(target + i), _mm512_loadu_si512(source + i));
#else
        _mm256_stream_si256(reinterpret_cast<__m256i *>(target + i),
                            _mm256_loadu_si256(reinterpret_cast<const __m256i *>(source + i)));
#endif
    }
    _mm_sfence();   // non-temporal stores are not ordered by the release that publishes them
}

// ---------------------------------------------------------------------------------------------------------------------
// Shared memory

constexpr int kMostRanks = 8;
constexpr int64_t kOneShotBelow = int64_t{1} << 20;
constexpr int64_t kPiece = int64_t{32} << 20;
constexpr int64_t kChunk = int64_t{128} << 10;
constexpr int kSlots = 4;   // see Rank::fused: two would be overwritten while a peer still reads
constexpr int64_t kMostSamples = 1 << 19;
constexpr uint64_t kRunning = UINT64_MAX;
constexpr std::chrono::seconds kDeadline{10};
constexpr const char *kOtherGaveUp = "another rank gave up";

/** A counter that one rank publishes and the others await, alone in its pair of cache lines. */
struct alignas(128) Flag {
    std::atomic<uint64_t> value{0};

    void publish(uint64_t count) { value.store(count, std::memory_order_release); }
    uint64_t seen() const { return value.load(std::memory_order_acquire); }
};

struct alignas(4096) Staging {
    uint8_t oneShot[2][kOneShotBelow];
    uint8_t piece[2][kPiece];
    uint8_t ring[kSlots][kChunk];
};

struct Shared {
    Flag barrier[kMostRanks];
    Flag staged[kMostRanks];    // deepspeed-like: calls whose input lies in the staging
    Flag reduced[kMostRanks];   // deepspeed-like: calls whose slice is added
    Flag chunks[kMostRanks];    // fused: chunks written to the ring
    Flag echo[2];
    Flag finished;              // the iteration at which the block ends, or kRunning
    Flag broken;                // a rank has given up; so do all others
    double roundTrip;
    Staging staging[kMostRanks];
    float samples[kMostRanks][kMostSamples];   // nanoseconds; negative when the rank was preempted
};

Shared *mapShared() {
    void *memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("cannot map the shared memory");
    return new (memory) Shared;
}

// ---------------------------------------------------------------------------------------------------------------------
// A rank

/** Values that any rank can compute for any other: element `index` of stream `stream`, with exponents that differ. */
uint16_t valueAt(uint64_t stream, uint64_t index) {
    uint64_t mixed = (stream << 40) + index + 0x9e3779b97f4a7c15u;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    mixed ^= mixed >> 31;
    uint64_t exponent = 120 + (mixed >> 8) % 9;
    return static_cast<uint16_t>((mixed & 0x807f) | exponent << 7);
}

float floatOf(uint16_t bits) {
    uint32_t word = static_cast<uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &word, sizeof value);
    return value;
}

uint16_t roundedTo16(float value) {
    uint32_t word;
    std::memcpy(&word, &value, sizeof word);
    return static_cast<uint16_t>((word + 0x7fff + ((word >> 16) & 1)) >> 16);
}

using Values = std::unique_ptr<uint16_t[], decltype(&std::free)>;

Values allocate(int64_t elements) {
    size_t bytes = (static_cast<size_t>(elements) * 2 + 4095) / 4096 * 4096;
    auto *memory = static_cast<uint16_t *>(std::aligned_alloc(4096, bytes));
    if (memory == nullptr) throw std::runtime_error("not enough memory for the tensors");
    return Values(memory, &std::free);
}

Values fill(int64_t elements, uint64_t stream) {
    Values values = allocate(elements);
    for (int64_t i = 0; i < elements; i++) values[i] = valueAt(stream, static_cast<uint64_t>(i));
    return values;
}

constexpr uint64_t kResidualStream = 1000;
constexpr uint64_t kWeightStream = 1001;

struct CheckResult {
    int64_t wrongResiduals;
    double worstOut;   // error of out in units of its last place
};

class Rank {
  public:
    Rank(Shared &shared, int self, int ranks, Wait wait) : shared_(shared), self_(self), ranks_(ranks), wait_(wait) {}

    /** Runs a block: iterations until its time is over; the samples lie in shared memory. */
    void run(const Block &block) {
        prepare(block.shape);
        auto start = Clock::now();
        if (self_ == 0) shared_.finished.value.store(kRunning, std::memory_order_relaxed);
        for (int64_t iteration = 0;; iteration++) {
            restore();
            bool over = iteration > 0 && nanosSince(start) > block.millis * 1e6;
            if (self_ == 0 && (over || iteration == kMostSamples)) {
                shared_.finished.value.store(static_cast<uint64_t>(iteration), std::memory_order_relaxed);
            }
            barrier();   // also makes rank 0's decision visible
            // Compared by number: rank 0 may decide the next iteration while a peer is still on its way to this line.
            if (shared_.finished.value.load(std::memory_order_relaxed) == static_cast<uint64_t>(iteration)) break;
            auto called = Clock::now();
            call(block);
            double nanos = nanosSince(called);
            int64_t before = std::exchange(preempted_, preemptions());
            shared_.samples[self_][iteration] = static_cast<float>(preempted_ == before ? nanos : -nanos);
        }
        barrier();   // nobody starts the next block while a rank still reads `finished`
    }

    /** The flag round trip between the first two ranks, in nanoseconds: the median over batches. */
    void measureRoundTrip() {
        constexpr int kBatches = 9;
        constexpr int kTrips = 200;
        std::array<double, kBatches> batches{};
        for (double &batch : batches) {
            auto start = Clock::now();
            for (int trip = 0; trip < kTrips; trip++) {
                uint64_t count = ++echoes_;
                if (self_ == 0) shared_.echo[0].publish(count);
                await(shared_.echo[1 - self_], count, "round trip");
                if (self_ == 1) shared_.echo[1].publish(count);
            }
            batch = nanosSince(start) / kTrips;
        }
        std::nth_element(batches.begin(), batches.begin() + kBatches / 2, batches.end());
        if (self_ == 0) shared_.roundTrip = batches[kBatches / 2];
    }

    /** Compares one call on fresh inputs with a scalar computation. */
    CheckResult check(const Block &block, int round) {
        Shape shape = block.shape;
        prepare(shape);
        std::vector<Values> inputs;
        for (int n = 0; n < ranks_; n++) inputs.push_back(fill(shape.elements(), inputStream(n, round)));
        std::memcpy(input_.get(), inputs[self_].get(), static_cast<size_t>(shape.bytes()));
        std::memcpy(residual_.get(), freshResidual_.get(), static_cast<size_t>(shape.bytes()));
        barrier();
        call(block);

        CheckResult result{0, 0};
        std::vector<uint16_t> expected(static_cast<size_t>(shape.hidden));
        for (int64_t row = 0; row < shape.tokens; row++) {
            double squares = 0;
            for (int64_t column = 0; column < shape.hidden; column++) {
                int64_t i = row * shape.hidden + column;
                float sum = floatOf(inputs[0][i]);
                for (int n = 1; n < ranks_; n++) sum += floatOf(inputs[n][i]);
                float reduced = floatOf(roundedTo16(sum));
                expected[column] = roundedTo16(reduced + floatOf(freshResidual_[i]));
                if (expected[column] != residual_[i]) result.wrongResiduals++;
                squares += static_cast<double>(floatOf(expected[column])) * floatOf(expected[column]);
            }
            double scale = 1 / std::sqrt(squares / static_cast<double>(shape.hidden) + 1e-5);
            for (int64_t column = 0; column < shape.hidden; column++) {
                double exact = floatOf(expected[column]) * scale * floatOf(weight_[column]);
                double error = std::fabs(floatOf(input_[row * shape.hidden + column]) - exact);
                double lastPlace = std::ldexp(1.0, std::ilogb(std::max(std::fabs(exact), 1e-30)) - 7);
                // Written so that a NaN counts as the worst error.
                if (!(error / lastPlace <= result.worstOut)) result.worstOut = error / lastPlace;
            }
        }
        barrier();
        return result;
    }

  private:
    static uint64_t inputStream(int rank, int round) { return static_cast<uint64_t>(round * kMostRanks + rank); }

    void prepare(Shape shape) {
        if (shape.tokens == shape_.tokens && shape.hidden == shape_.hidden) return;
        shape_ = shape;
        freshInput_ = fill(shape.elements(), inputStream(self_, 0));
        freshResidual_ = fill(shape.elements(), kResidualStream);
        weight_ = fill(shape.hidden, kWeightStream);
        input_ = allocate(shape.elements());
        residual_ = allocate(shape.elements());
    }

    void restore() {
        std::memcpy(input_.get(), freshInput_.get(), static_cast<size_t>(shape_.bytes()));
        std::memcpy(residual_.get(), freshResidual_.get(), static_cast<size_t>(shape_.bytes()));
    }

    void call(const Block &block) {
        switch (block.algorithm) {
            case Algorithm::DeepSpeedLike:
                allReduce();
                addAndNormalize();
                break;
            case Algorithm::Fused: fused(block.copy); break;
            case Algorithm::BytesCopy: copyBytes(residual_.get(), input_.get(), shape_.bytes(), block.copy); break;
        }
    }

    // deepspeed-like ---------------------------------------------------------------------------------------------------
    //
    // Calls alternate between two buffers. A rank that stages call c + 2 over call c has seen every peer stage c + 1,
    // and a peer stages c + 1 only after its last read of c.

    void allReduce() {
        for (int64_t done = 0; done < shape_.elements(); done += kPiece / 2) {
            int64_t elements = std::min(kPiece / 2, shape_.elements() - done);
            if (2 * elements < kOneShotBelow) {
                oneShot(input_.get() + done, elements);
            } else {
                twoShot(input_.get() + done, elements);
            }
        }
    }

    void oneShot(uint16_t *data, int64_t elements) {
        uint64_t call = ++calls_;
        std::array<const uint16_t *, kMostRanks> inputs{};
        for (int n = 0; n < ranks_; n++) {
            inputs[n] = reinterpret_cast<uint16_t *>(shared_.staging[n].oneShot[call % 2]);
        }
        copyBytes(shared_.staging[self_].oneShot[call % 2], data, 2 * elements, Copy::Plain);
        shared_.staged[self_].publish(call);
        awaitAll(shared_.staged, call, "input");
        withRanks(ranks_, [&](auto n) { addAll<n>(inputs.data(), data, elements); });
    }

    void twoShot(uint16_t *data, int64_t elements) {
        uint64_t call = ++calls_;
        std::array<uint16_t *, kMostRanks> buffers{};
        std::array<const uint16_t *, kMostRanks> slices{};
        auto begin = [&](int rank) {
            return rank == ranks_ ? elements : elements / ranks_ / kAligned * kAligned * rank;
        };
        for (int n = 0; n < ranks_; n++) {
            buffers[n] = reinterpret_cast<uint16_t *>(shared_.staging[n].piece[call % 2]);
            slices[n] = buffers[n] + begin(self_);
        }
        copyBytes(buffers[self_], data, 2 * elements, Copy::Plain);
        shared_.staged[self_].publish(call);
        awaitAll(shared_.staged, call, "input");
        int64_t length = begin(self_ + 1) - begin(self_);
        withRanks(ranks_, [&](auto n) { addAll<n>(slices.data(), buffers[self_] + begin(self_), length); });
        shared_.reduced[self_].publish(call);
        awaitAll(shared_.reduced, call, "slice");
        for (int n = 0; n < ranks_; n++) {
            copyBytes(data + begin(n), buffers[n] + begin(n), 2 * (begin(n + 1) - begin(n)), Copy::Plain);
        }
    }

    void addAndNormalize() {
        for (int64_t row = 0; row < shape_.tokens; row++) {
            uint16_t *input = input_.get() + row * shape_.hidden;
            uint16_t *residual = residual_.get() + row * shape_.hidden;
            const uint16_t *inputs[] = {input};
            float squares = addRow<1, false>(inputs, residual, shape_.hidden, 0, 0);
            normalizeRow(residual, weight_.get(), input, shape_.hidden, squares);
        }
    }

    // fused ------------------------------------------------------------------------------------------------------------
    //
    // A rank writes one chunk ahead of the one it works on. When it writes chunk c it has seen its peers' chunk c - 2,
    // and a peer that has written c - 2 is done with c - 4: with four slots the ring needs no other flag.

    void fused(Copy copy) {
        int64_t rowsOfChunk = kChunk / (2 * shape_.hidden);
        int64_t chunks = (shape_.tokens + rowsOfChunk - 1) / rowsOfChunk;
        uint64_t first = chunks_ + 1;
        chunks_ += static_cast<uint64_t>(chunks);
        stageChunk(first, 0, rowsOfChunk, copy);
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            uint64_t count = first + static_cast<uint64_t>(chunk);
            int64_t row = chunk * rowsOfChunk;
            if (chunk + 1 < chunks) stageChunk(count + 1, row + rowsOfChunk, rowsOfChunk, copy);
            awaitAll(shared_.chunks, count, "chunk");
            int64_t rows = std::min(rowsOfChunk, shape_.tokens - row);
            withRanks(ranks_, [&](auto n) {
                copy == Copy::Plain ? fusedRows<n, false>(count, row, rows) : fusedRows<n, true>(count, row, rows);
            });
        }
    }

    void stageChunk(uint64_t count, int64_t row, int64_t rowsOfChunk, Copy copy) {
        int64_t rows = std::min(rowsOfChunk, shape_.tokens - row);
        copyBytes(shared_.staging[self_].ring[count % kSlots], input_.get() + row * shape_.hidden,
                  2 * rows * shape_.hidden, copy);
        shared_.chunks[self_].publish(count);
    }

    template <int N, bool Prefetch>
    void fusedRows(uint64_t count, int64_t firstRow, int64_t rows) {
        const uint16_t *inputs[N];
        for (int64_t row = 0; row < rows; row++) {
            for (int n = 0; n < N; n++) {
                inputs[n] = reinterpret_cast<uint16_t *>(shared_.staging[n].ring[count % kSlots]) + row * shape_.hidden;
            }
            uint16_t *input = input_.get() + (firstRow + row) * shape_.hidden;
            uint16_t *residual = residual_.get() + (firstRow + row) * shape_.hidden;
            inputs[self_] = input;
            int64_t lastLine = (rows - row) * shape_.hidden - kAligned;
            float squares = addRow<N, Prefetch>(inputs, residual, shape_.hidden, self_, lastLine);
            normalizeRow(residual, weight_.get(), input, shape_.hidden, squares);
        }
    }

    // waiting ----------------------------------------------------------------------------------------------------------

    void barrier() {
        shared_.barrier[self_].publish(++barriers_);
        awaitAll(shared_.barrier, barriers_, "barrier");
    }

    void awaitAll(const Flag *flags, uint64_t count, const char *what) {
        for (int n = 0; n < ranks_; n++) {
            if (n != self_) await(flags[n], count, what);
        }
    }

    void await(const Flag &flag, uint64_t count, const char *what) {
        if (flag.seen() >= count) return;
        constexpr int kSpinsBeforeYield = 100;
        constexpr int kPollsPerCheck = 4096;
        std::optional<Clock::time_point> start;
        for (int polls = 1; flag.seen() < count; polls++) {
            if (wait_ == Wait::Yield && polls > kSpinsBeforeYield) {
                sched_yield();
            } else {
                _mm_pause();
            }
            if (polls % kPollsPerCheck != 0) continue;
            if (shared_.broken.seen() != 0) throw std::runtime_error(kOtherGaveUp);
            if (!start) {
                start = Clock::now();
            } else if (Clock::now() - *start > kDeadline) {
                shared_.broken.publish(1);
                throw std::runtime_error("rank " + std::to_string(self_) + " waited 10 s for a peer's " + what + " " +
                                         std::to_string(count) + ", found " + std::to_string(flag.seen()));
            }
            if (polls >= 1 << 30) polls = kSpinsBeforeYield;
        }
    }

    Shared &shared_;
    const int self_;
    const int ranks_;
    const Wait wait_;
    uint64_t barriers_ = 0;
    uint64_t calls_ = 0;
    uint64_t chunks_ = 0;
    uint64_t echoes_ = 0;
    int64_t preempted_ = 0;
    Shape shape_{0, 0};
    Values freshInput_{nullptr, &std::free};
    Values freshResidual_{nullptr, &std::free};
    Values weight_{nullptr, &std::free};
    Values input_{nullptr, &std::free};
    Values residual_{nullptr, &std::free};
};

// ---------------------------------------------------------------------------------------------------------------------
// The group: forked ranks that sleep in read() until they are told what to do

enum class Task : int { RoundTrip, Run, Check };

struct Command {
    Task task;
    Block block;
    int round;
};

struct Reply {
    bool failed;
    CheckResult check;
    char message[160];
};

struct Measured {
    int64_t iterations;
    int64_t preempted;      // iterations that are not in the percentiles, unless it is all of them
    double p50, p90, p99;   // microseconds
    double before, after;   // flag round trip, nanoseconds
};

class Group {
  public:
    Group(int ranks, Wait wait) : shared_(mapShared()), ranks_(ranks) {
        std::vector<int> cpus = allowedCpus();
        ownCpus_ = wait == Wait::Spin && ranks <= static_cast<int>(cpus.size());
        for (int rank = 0; rank < ranks; rank++) start(rank, cpus[rank % cpus.size()], wait);
    }
    ~Group() {
        for (const Member &member : members_) kill(member.process, SIGKILL);
        for (const Member &member : members_) waitpid(member.process, nullptr, 0);
    }
    Group(const Group &) = delete;
    Group &operator=(const Group &) = delete;

    Measured measure(const Block &block) {
        Measured result{};
        result.before = roundTrip();
        send(ranks_, {Task::Run, block, 0}, block.millis);
        result.after = roundTrip();
        result.iterations = static_cast<int64_t>(shared_->finished.value.load(std::memory_order_relaxed));
        std::vector<float> slowest;
        std::vector<float> undisturbed;
        for (int64_t i = 0; i < result.iterations; i++) {
            float most = 0;
            bool preempted = false;
            for (int n = 0; n < ranks_; n++) {
                most = std::max(most, std::fabs(shared_->samples[n][i]));
                preempted |= shared_->samples[n][i] < 0;
            }
            slowest.push_back(most);
            if (!preempted) undisturbed.push_back(most);
        }
        if (ownCpus_) {
            result.preempted = result.iterations - static_cast<int64_t>(undisturbed.size());
            if (!undisturbed.empty()) slowest.swap(undisturbed);
        }
        std::sort(slowest.begin(), slowest.end());
        auto percentile = [&](double part) {
            return slowest[static_cast<size_t>(std::ceil(part * static_cast<double>(slowest.size()))) - 1] / 1e3;
        };
        result.p50 = percentile(0.50);
        result.p90 = percentile(0.90);
        result.p99 = percentile(0.99);
        return result;
    }

    CheckResult check(const Block &block, int round) {
        CheckResult worst{0, 0};
        for (const Reply &reply : send(ranks_, {Task::Check, block, round}, 0)) {
            worst.wrongResiduals += reply.check.wrongResiduals;
            if (!(reply.check.worstOut <= worst.worstOut)) worst.worstOut = reply.check.worstOut;
        }
        return worst;
    }

  private:
    struct Member {
        pid_t process;
        int commands;
        int replies;
    };

    static std::vector<int> allowedCpus() {
        cpu_set_t set;
        std::vector<int> cpus;
        if (sched_getaffinity(0, sizeof set, &set) != 0) throw std::runtime_error("cannot read the allowed CPUs");
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
        }
        return cpus;
    }

    void start(int rank, int cpu, Wait wait) {
        int commands[2];
        int replies[2];
        if (pipe(commands) != 0 || pipe(replies) != 0) throw std::runtime_error("cannot open the ranks' pipes");
        std::fflush(nullptr);
        pid_t parent = getpid();
        pid_t process = fork();
        if (process < 0) throw std::runtime_error("cannot start a rank");
        if (process == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent) _exit(1);   // it died before the request
            close(commands[1]);
            close(replies[0]);
            for (const Member &member : members_) {
                close(member.commands);
                close(member.replies);
            }
            cpu_set_t set;
            CPU_ZERO(&set);
            CPU_SET(cpu, &set);
            sched_setaffinity(0, sizeof set, &set);
            serve(rank, wait, commands[0], replies[1]);
            _exit(0);
        }
        close(commands[0]);
        close(replies[1]);
        members_.push_back({process, commands[1], replies[0]});
    }

    void serve(int rank, Wait wait, int commands, int replies) {
        Rank self(*shared_, rank, ranks_, wait);
        Command command;
        while (read(commands, &command, sizeof command) == sizeof command) {
            Reply reply{};
            try {
                switch (command.task) {
                    case Task::RoundTrip: self.measureRoundTrip(); break;
                    case Task::Run: self.run(command.block); break;
                    case Task::Check: reply.check = self.check(command.block, command.round); break;
                }
            } catch (const std::exception &failure) {
                reply.failed = true;
                std::snprintf(reply.message, sizeof reply.message, "%s", failure.what());
            }
            if (write(replies, &reply, sizeof reply) != sizeof reply) return;
        }
    }

    double roundTrip() {
        send(2, {Task::RoundTrip, {}, 0}, 0);
        return shared_->roundTrip;
    }

    /** Gives a command to the first ranks and returns their replies. */
    std::vector<Reply> send(int ranks, const Command &command, int millis) {
        for (int n = 0; n < ranks; n++) {
            if (write(members_[n].commands, &command, sizeof command) != sizeof command) throw lost(n);
        }
        // Filling the tensors and the scalar check take time of their own.
        auto deadline = Clock::now() + std::chrono::milliseconds(millis) + 6 * kDeadline;
        std::vector<Reply> replies(static_cast<size_t>(ranks));
        std::vector<pollfd> waiting;
        for (int n = 0; n < ranks; n++) waiting.push_back({members_[n].replies, POLLIN, 0});
        std::string failure;
        for (int left = ranks; left > 0;) {
            auto time = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
            if (poll(waiting.data(), waiting.size(), static_cast<int>(std::max<int64_t>(time, 0))) <= 0) {
                throw std::runtime_error(failure.empty() ? std::to_string(left) + " ranks do not answer" : failure);
            }
            for (int n = 0; n < ranks; n++) {
                if (waiting[n].revents == 0) continue;
                if (read(members_[n].replies, &replies[n], sizeof(Reply)) != sizeof(Reply)) throw lost(n);
                if (replies[n].failed) {
                    if (failure.empty() || failure == kOtherGaveUp) failure = replies[n].message;
                    deadline = std::min(deadline, Clock::now() + std::chrono::seconds(1));   // a stopped rank is silent
                }
                waiting[n].fd = -1;   // poll() passes over it
                waiting[n].revents = 0;
                left--;
            }
        }
        if (!failure.empty()) throw std::runtime_error(failure);
        return replies;
    }

    static std::runtime_error lost(int rank) { return std::runtime_error("rank " + std::to_string(rank) + " has ended"); }

    Shared *shared_;
    const int ranks_;
    bool ownCpus_ = false;
    std::vector<Member> members_;
};

// ---------------------------------------------------------------------------------------------------------------------
// The command line

struct Usage : std::runtime_error {
    using std::runtime_error::runtime_error;
};

constexpr const char *kHelp =
    "usage: cpu_baseline [--tp 2..8] [--wait spin|yield] [--shapes TxH,...] [--millis N]   one table\n"
    "       cpu_baseline [--tp 2..8] [--wait spin|yield] --check                           compare with scalar code\n"
    "       cpu_baseline [--tp 2..8] [--wait spin|yield] --serve                           blocks from stdin\n"
    "serve: block TOKENS HIDDEN deepspeed-like|fused|bytes-copy plain|nt MILLIS   one line of JSON each; quit\n";

struct Options {
    int ranks = 2;
    Wait wait = Wait::Spin;
    std::vector<Shape> shapes;
    int millis = 300;
    bool check = false;
    bool serve = false;
};

int64_t number(const std::string &text, int64_t least, int64_t most, const char *what) {
    char *end = nullptr;
    int64_t value = std::strtoll(text.c_str(), &end, 10);
    if (text.empty() || *end != 0 || value < least || value > most) {
        throw Usage(std::string(what) + " must be a number from " + std::to_string(least) + " to " +
                    std::to_string(most) + ", not \"" + text + "\"");
    }
    return value;
}

Shape shapeOf(const std::string &tokens, const std::string &hidden) {
    Shape shape{number(tokens, 1, 1 << 20, "tokens"), number(hidden, kAligned, kChunk / 2, "hidden")};
    if (shape.hidden % kAligned != 0) throw Usage("hidden must be a multiple of " + std::to_string(kAligned));
    return shape;
}

std::vector<Shape> shapesOf(const std::string &list) {
    std::vector<Shape> shapes;
    std::istringstream items(list);
    for (std::string item; std::getline(items, item, ',');) {
        size_t cross = item.find('x');
        if (cross == std::string::npos) throw Usage("a shape is TOKENSxHIDDEN, not \"" + item + "\"");
        shapes.push_back(shapeOf(item.substr(0, cross), item.substr(cross + 1)));
    }
    return shapes;
}

template <size_t Count>
int choice(const char *const (&names)[Count], const std::string &name, const char *what) {
    for (size_t i = 0; i < Count; i++) {
        if (name == names[i]) return static_cast<int>(i);
    }
    throw Usage(std::string("no such ") + what + ": \"" + name + "\"");
}

Options parse(int count, char **arguments) {
    Options options;
    std::string shapes = "1x2880,16x4096,64x2880,128x2880,512x2880,1319x2880,2048x2880,1x7168";
    for (int i = 1; i < count; i++) {
        std::string name = arguments[i];
        auto value = [&]() -> std::string {
            if (i + 1 == count) throw Usage(name + " needs a value");
            return arguments[++i];
        };
        constexpr const char *waits[] = {"spin", "yield"};
        if (name == "--tp") {
            options.ranks = static_cast<int>(number(value(), 2, kMostRanks, "--tp"));
        } else if (name == "--wait") {
            options.wait = static_cast<Wait>(choice(waits, value(), "wait"));
        } else if (name == "--shapes") {
            shapes = value();
        } else if (name == "--millis") {
            options.millis = static_cast<int>(number(value(), 1, 60000, "--millis"));
        } else if (name == "--check") {
            options.check = true;
        } else if (name == "--serve") {
            options.serve = true;
        } else {
            throw Usage("no such option: " + name);
        }
    }
    options.shapes = shapesOf(shapes);
    return options;
}

Block blockOf(const std::string &line) {
    std::istringstream words(line);
    std::string verb, tokens, hidden, algorithm, copy, millis, rest;
    words >> verb >> tokens >> hidden >> algorithm >> copy >> millis;
    if (verb != "block" || millis.empty() || words >> rest) {
        throw Usage("expected: block TOKENS HIDDEN ALGORITHM COPY MILLIS");
    }
    return {shapeOf(tokens, hidden), static_cast<Algorithm>(choice(kAlgorithmNames, algorithm, "algorithm")),
            static_cast<Copy>(choice(kCopyNames, copy, "copy")),
            static_cast<int>(number(millis, 1, 60000, "MILLIS"))};
}

std::string quoted(const std::string &text) {
    std::string result = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
    return result + "\"";
}

/** Answers until "quit" or the end of input. A reader that has gone away ends the process with the next answer. */
int serveBlocks(Group &group) {
    for (std::string line; std::getline(std::cin, line) && line != "quit";) {
        if (line.empty()) continue;
        try {
            Block block = blockOf(line);
            Measured result = group.measure(block);
            std::printf("{\"tokens\":%ld,\"hidden\":%ld,\"algorithm\":\"%s\",\"copy\":\"%s\",\"iterations\":%ld,"
                        "\"preempted\":%ld,\"p50_us\":%.3f,\"p90_us\":%.3f,\"p99_us\":%.3f,\"rtt_before_ns\":%.0f,\"rtt_after_ns\":%.0f}\n",
                        block.shape.tokens, block.shape.hidden, kAlgorithmNames[static_cast<int>(block.algorithm)],
                        kCopyNames[static_cast<int>(block.copy)], result.iterations, result.preempted,
                        result.p50, result.p90, result.p99, result.before, result.after);
        } catch (const Usage &wrong) {
            std::printf("{\"error\":%s}\n", quoted(wrong.what()).c_str());
        } catch (const std::exception &failure) {
            std::printf("{\"error\":%s}\n", quoted(failure.what()).c_str());
            std::fflush(stdout);
            return 1;
        }
        std::fflush(stdout);
    }
    return 0;
}

int checkAll(Group &group, int ranks) {
    const Shape shapes[] = {{1, 32}, {1, 2880}, {13, 4096}, {64, 2880}, {181, 2880}, {183, 2880}, {1319, 2880}, {6000, 2880}};
    const std::pair<Algorithm, Copy> variants[] = {{Algorithm::DeepSpeedLike, Copy::Plain},
                                                   {Algorithm::Fused, Copy::Plain},
                                                   {Algorithm::Fused, Copy::NonTemporal}};
    bool right = true;
    std::printf("%-12s %-16s %-6s %6s %16s %14s  %s\n", "shape", "algorithm", "copy", "calls", "wrong residuals",
                "out, last place", "verdict");
    for (Shape shape : shapes) {
        for (auto [algorithm, copy] : variants) {
            int calls = shape.bytes() < kOneShotBelow ? 12 : 3;   // fresh inputs in each, so a stale buffer shows
            CheckResult worst{0, 0};
            for (int round = 1; round <= calls; round++) {
                CheckResult result = group.check({shape, algorithm, copy, 0}, round);
                worst.wrongResiduals += result.wrongResiduals;
                if (!(result.worstOut <= worst.worstOut)) worst.worstOut = result.worstOut;
            }
            bool good = worst.wrongResiduals == 0 && worst.worstOut <= 0.51;
            right &= good;
            std::string name = std::to_string(shape.tokens) + "x" + std::to_string(shape.hidden);
            std::printf("%-12s %-16s %-6s %6d %16ld %15.4f  %s\n", name.c_str(),
                        kAlgorithmNames[static_cast<int>(algorithm)], kCopyNames[static_cast<int>(copy)], calls,
                        worst.wrongResiduals, worst.worstOut, good ? "right" : "WRONG");
            std::fflush(stdout);
        }
    }
    std::printf("%d ranks: %s\n", ranks, right ? "right" : "WRONG");
    return right ? 0 : 1;
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
}

enum class Placement : int { Near, Far, Mixed, Preempted };
constexpr const char *kPlacementNames[] = {"near", "far", "mixed", "preempted"};

/**
 * Where the CPUs were during a block. Cores that share a cache answer in 50 to 150 ns, others in 270 to 600 ns,
 * depending on where the two lines live; a virtual machine's CPUs move between the two.
 */
Placement placement(const Measured &block) {
    if (block.preempted == block.iterations) return Placement::Preempted;   // always another process in between
    if (std::max(block.before, block.after) < 200) return Placement::Near;
    return std::min(block.before, block.after) > 250 ? Placement::Far : Placement::Mixed;
}

/**
 * The variants take turns in short blocks; a line for each shape and placement holds the median over its blocks. Blocks
 * that are neither near nor far are shown only for a shape that has nothing better.
 */
int printTable(Group &group, const Options &options) {
    constexpr int kTurns = 12;
    const std::pair<Algorithm, Copy> variants[] = {{Algorithm::DeepSpeedLike, Copy::Plain},
                                                   {Algorithm::Fused, Copy::Plain},
                                                   {Algorithm::Fused, Copy::NonTemporal},
                                                   {Algorithm::BytesCopy, Copy::Plain}};
    constexpr int kVariants = 4;
    int millis = std::max(options.millis / kTurns, 1);
    std::printf("bf16, %d ranks, %s, %d-bit vectors; p50 in us of the slowest rank, median over blocks of %d ms\n\n",
                options.ranks, options.wait == Wait::Spin ? "spinning" : "yielding", 8 * kVectorBytes, millis);
    std::printf("%-10s %10s  %-9s %7s %15s %12s %10s %11s %10s %10s\n", "shape", "bytes", "placement", "rtt ns",
                "deepspeed-like", "fused plain", "fused nt", "bytes-copy", "best/deep", "blocks");
    for (Shape shape : options.shapes) {
        struct Found {
            std::array<std::vector<double>, kVariants> times;
            std::vector<double> roundTrips;
        };
        std::array<Found, std::size(kPlacementNames)> found;
        for (int turn = 0; turn < kTurns; turn++) {
            for (int variant = 0; variant < kVariants; variant++) {
                auto [algorithm, copy] = variants[variant];
                Measured block = group.measure({shape, algorithm, copy, millis});
                Found &here = found[static_cast<int>(placement(block))];
                here.times[variant].push_back(block.p50);
                here.roundTrips.insert(here.roundTrips.end(), {block.before, block.after});
            }
        }
        auto complete = [](const Found &here) {
            return std::none_of(here.times.begin(), here.times.end(), [](auto &times) { return times.empty(); });
        };
        bool clear = complete(found[0]) || complete(found[1]);
        for (size_t where = 0; where < found.size(); where++) {
            const Found &here = found[where];
            if (!complete(here) || (clear && where >= static_cast<size_t>(Placement::Mixed))) continue;
            double deep = median(here.times[0]);
            double best = std::min(median(here.times[1]), median(here.times[2]));
            std::string name = std::to_string(shape.tokens) + "x" + std::to_string(shape.hidden);
            std::printf("%-10s %10ld  %-9s %7.0f %15.2f %12.2f %10.2f %11.2f %10.2f %10zu\n", name.c_str(), shape.bytes(),
                        kPlacementNames[where], median(here.roundTrips), deep, median(here.times[1]),
                        median(here.times[2]), median(here.times[3]), best / deep, here.roundTrips.size() / 2);
        }
        std::fflush(stdout);
    }
    return 0;
}

}   // namespace

int main(int count, char **arguments) {
    try {
        Options options = parse(count, arguments);
        signal(SIGPIPE, options.serve ? SIG_DFL : SIG_IGN);
        Group group(options.ranks, options.wait);
        if (options.serve) return serveBlocks(group);
        if (options.check) return checkAll(group, options.ranks);
        return printTable(group, options);
    } catch (const Usage &wrong) {
        std::fprintf(stderr, "%s\n%s", wrong.what(), kHelp);
        return 2;
    } catch (const std::exception &failure) {
        std::fprintf(stderr, "%s\n", failure.what());
        return 1;
    }
}
