// Runs a list of calls on all ranks by the kernels themselves, with the memory, state and report of a plan, and writes
// what they have stored. Compiled for one world size, dtype, hidden and set of parts.
//
//   driver JOB RESULT
//
// Both files are little-endian; KernelJob.java writes the one and reads the other, in the order in which they are taken
// apart here.
#include "kernels.cu"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

static_assert(sizeof(LsArgs) == 184 && sizeof(LsState) == 32 && sizeof(LsReport) == 28, "Java lays these out too.");

namespace {

constexpr u32 WANTS_REDUCED = 1, OUT_IS_INPUT = 2, RESIDUAL_OUT_IS_RESIDUAL = 4, ANY_ENTRY = 8;
constexpr size_t GUARD = 64;
constexpr u8 UNTOUCHED = 0xC3;

class Job {
public:
    explicit Job(const char *path) {
        FILE *file = fopen(path, "rb");
        if (file == nullptr || fseek(file, 0, SEEK_END) != 0) {
            perror(path);
            exit(3);
        }
        bytes.resize((size_t)ftell(file));
        rewind(file);
        if (fread(bytes.data(), 1, bytes.size(), file) != bytes.size()) {
            perror(path);
            exit(3);
        }
        fclose(file);
    }
    template <typename T>
    T take() {
        T value;
        memcpy(&value, take(sizeof(T)), sizeof(T));
        return value;
    }
    const u8 *take(size_t count) {
        if (count > bytes.size() - at) {
            fprintf(stderr, "The job ends too early.\n");
            exit(3);
        }
        at += count;
        return bytes.data() + at - count;
    }

private:
    std::vector<u8> bytes;
    size_t at = 0;
};

// A tensor at some distance from a 16-byte boundary, with a guard on both sides.
class Tensor {
public:
    void make(size_t size, u32 shift, const u8 *content) {
        length = size;
        before = GUARD + shift;
        memory.assign((before + size + GUARD) / 16 + 1, LsPack{{0, 0, 0, 0}});
        memset(memory.data(), UNTOUCHED, memory.size() * 16);
        if (content != nullptr) {
            memcpy(begin(), content, size);
        }
    }
    u8 *begin() { return (u8 *)memory.data() + before; }
    size_t size() const { return length; }
    bool kept_to_itself() {
        const u8 *all = (const u8 *)memory.data();
        for (size_t i = 0; i < memory.size() * 16; i++) {
            if ((i < before || i >= before + length) && all[i] != UNTOUCHED) {
                return false;
            }
        }
        return true;
    }

private:
    std::vector<LsPack> memory;
    size_t before = 0, length = 0;
};

struct Call {
    simt::Kernel kernel;
    u32 blocks;
    LsArgs args;
    Tensor input, residual, weight, reduced, residual_out, out;
    bool residual_in_place, out_in_place;
};

struct Rank {
    std::vector<LsPack> memory;
    LsState state{};
    LsReport report{};
    std::vector<std::unique_ptr<Call>> calls;
    size_t next = 0;
    u64 nanos = 0;
};

template <void (*KERNEL)(const LsArgs)>
void with_args(const void *args) {
    KERNEL(*(const LsArgs *)args);
}

simt::Kernel kernel_of(u32 algorithm, bool whole) {
#if LS_HIDDEN % LS_PACK_ELEMENTS == 0
    if (whole) {
        static const simt::Kernel kernels[] = {with_args<ls_one_shot_push>, with_args<ls_two_shot_push>, with_args<ls_one_shot_pull>, with_args<ls_two_shot_pull>};
        return kernels[algorithm - 1];
    }
#endif
    static const simt::Kernel kernels[] = {with_args<ls_one_shot_push_any>, with_args<ls_two_shot_push_any>, with_args<ls_one_shot_pull_any>, with_args<ls_two_shot_pull_any>};
    return kernels[algorithm - 1];
}

class Ranks : public simt::Driver {
public:
    explicit Ranks(Job &job) {
        const u32 built[] = {LS_RANKS, LS_DTYPE, LS_HIDDEN, LS_RESIDUAL, LS_NORM};
        for (u32 expected : built) {
            u32 found = job.take<u32>();
            if (found != expected) {
                fprintf(stderr, "The job is for another build: found %u, expected %u.\n", found, expected);
                exit(3);
            }
        }
        most_carriers = job.take<u32>();
        spares = job.take<u32>();
        most_tokens = job.take<u32>();
        options.ranks = LS_RANKS;
        options.most_blocks = most_carriers + spares;
        options.threads = LS_THREADS;
        options.wave = LS_WAVE;
        options.shared_bytes = sizeof(LsBlock);
        options.seed = job.take<u64>();
        options.skew = job.take<u32>();
        options.late_stores = job.take<u32>() != 0;
        options.most_nanos = job.take<u64>();
        deadline = job.take<u64>();
        abort_at = job.take<u64>();
        abort_rank = job.take<u32>();
        epsilon = job.take<float>();
        u64 tensor = most_tokens * LS_ROW_BYTES;
        sums = LS_AT_ROWS + LS_COPIES * LS_RANKS * tensor;
        staging = sums + LS_COPIES * tensor;
        result = staging + tensor;
        for (u32 r = 0; r < LS_RANKS; r++) {
            ranks[r].memory.resize((result + tensor) / 16);
            memset((u8 *)ranks[r].memory.data() + LS_AT_ROWS, 0xFF, staging - LS_AT_ROWS);
            regions[r] = {(u8 *)ranks[r].memory.data(), (u8 *)(ranks[r].memory.data() + ranks[r].memory.size())};
        }
        u32 calls = job.take<u32>();
        for (u32 c = 0; c < calls; c++) {
            read_call(job);
        }
    }

    void run() { simt::run(options, regions, *this); }

    bool next(u32 r, simt::Launch &launch) override {
        Rank &rank = ranks[r];
        if (rank.next == rank.calls.size()) {
            return false;
        }
        const Call &call = *rank.calls[rank.next++];
        launch = {call.kernel, &call.args, call.blocks};
        return true;
    }

    void round(uint64_t nanos) override {
        if (nanos >= abort_at) {
            __atomic_store_n(&ranks[abort_rank].report.abort, 1u, __ATOMIC_RELAXED);
        }
        for (Rank &rank : ranks) {
            if (rank.nanos == 0 && __atomic_load_n(&rank.report.what, __ATOMIC_RELAXED) != 0) {
                rank.nanos = nanos;
            }
        }
    }

    void write(FILE *to) {
        for (Rank &rank : ranks) {
            const LsReport &p = rank.report;
            const u32 words[] = {p.what, p.peer, p.epoch, p.block, p.expected, p.found, rank.state.epoch, rank.state.failed};
            fwrite(words, sizeof(words), 1, to);
            fwrite(&rank.nanos, sizeof(rank.nanos), 1, to);
            for (auto &call : rank.calls) {
                bool kept = true;
                for (Tensor *tensor : {&call->input, &call->residual, &call->weight, &call->reduced, &call->residual_out, &call->out}) {
                    kept = kept && tensor->kept_to_itself();
                }
                u32 word = kept ? 1 : 0;
                fwrite(&word, sizeof(word), 1, to);
                write(to, call->reduced);
                write(to, call->residual_in_place ? call->residual : call->residual_out);
                write(to, call->out_in_place ? call->input : call->out);
            }
        }
    }

private:
    void read_call(Job &job) {
        u32 algorithm = job.take<u32>();
        u32 flags = job.take<u32>();
        u32 tokens[LS_RANKS], shift[LS_RANKS];
        for (u32 &t : tokens) {
            t = job.take<u32>();
        }
        for (u32 &s : shift) {
            s = job.take<u32>();
        }
        size_t row = (size_t)LS_HIDDEN * LS_ELEMENT_BYTES;
        const u8 *weight = LS_NORM ? job.take(row) : nullptr;
        for (u32 r = 0; r < LS_RANKS; r++) {
            size_t bytes = tokens[r] * row;
            const u8 *input = job.take(bytes);
            const u8 *residual = LS_RESIDUAL ? job.take(bytes) : nullptr;
            if (tokens[r] == 0) {
                continue; // this rank does not come
            }
            auto call = std::make_unique<Call>();
            call->residual_in_place = (flags & RESIDUAL_OUT_IS_RESIDUAL) != 0 && LS_RESIDUAL;
            call->out_in_place = (flags & OUT_IS_INPUT) != 0 && LS_NORM;
            call->input.make(bytes, shift[r], input);
            LsArgs &a = call->args;
            a = {};
            a.input = call->input.begin();
            if (LS_RESIDUAL) {
                call->residual.make(bytes, shift[r], residual);
                a.residual = call->residual.begin();
                if (call->residual_in_place) {
                    a.residual_out = call->residual.begin();
                } else {
                    call->residual_out.make(bytes, shift[r], nullptr);
                    a.residual_out = call->residual_out.begin();
                }
            }
            if (LS_NORM) {
                call->weight.make(row, shift[r], weight);
                a.weight = call->weight.begin();
                if (call->out_in_place) {
                    a.out = call->input.begin();
                } else {
                    call->out.make(bytes, shift[r], nullptr);
                    a.out = call->out.begin();
                }
            }
            if ((flags & WANTS_REDUCED) != 0) {
                call->reduced.make(bytes, shift[r], nullptr);
                a.reduced = call->reduced.begin();
            }
            for (u32 peer = 0; peer < LS_RANKS; peer++) {
                a.memory[peer] = (u8 *)ranks[peer].memory.data();
            }
            a.state = &ranks[r].state;
            a.report = &ranks[r].report;
            a.deadline = deadline;
            a.sums = sums;
            a.staging = staging;
            a.result = result;
            a.tokens = tokens[r];
            a.capacity = most_tokens;
            a.most_tokens = most_tokens;
            a.rank = r;
            a.epsilon = epsilon;
            bool two_shot = algorithm == LS_TWO_SHOT_PUSH || algorithm == LS_TWO_SHOT_PULL;
            u32 items = two_shot ? (tokens[r] + LS_RANKS - 1) / LS_RANKS : tokens[r];
            a.carriers = items < most_carriers ? items : most_carriers;
            call->blocks = a.carriers + spares;
            call->kernel = kernel_of(algorithm, shift[r] % 16 == 0 && (flags & ANY_ENTRY) == 0);
            ranks[r].calls.push_back(std::move(call));
        }
    }

    static void write(FILE *to, Tensor &tensor) { fwrite(tensor.begin(), 1, tensor.size(), to); }

    simt::Options options{};
    simt::Region regions[LS_RANKS];
    Rank ranks[LS_RANKS];
    u32 most_carriers, spares, most_tokens, abort_rank;
    u64 deadline, abort_at, sums, staging, result;
    float epsilon;
};

} // namespace

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "Usage: driver JOB RESULT\n");
        return 2;
    }
    Job job(argv[1]);
    auto ranks = new Ranks(job); // for good: ThreadSanitizer would see its end race with the shadows' accesses
    ranks->run();
    FILE *to = fopen(argv[2], "wb");
    if (to == nullptr) {
        perror(argv[2]);
        return 3;
    }
    ranks->write(to);
    return fclose(to) == 0 ? 0 : 3;
}
