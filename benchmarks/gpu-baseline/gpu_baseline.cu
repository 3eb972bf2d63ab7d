// The kernels of Lockstep launched from C++, beside NCCL and a fused add + norm: what the device does without Java.
// One process, one thread and one stream for each GPU; calls in a captured graph, or one by one with events around each.
//
//   gpu_baseline [--check] [--tokens 1,16,512] [--blocks-per-sm 1,2] [--eager] [--calls 50] [--replays 15] [--no-pdl] [--variants 0,1,5] [--spares 16]
//
// Built for one world size, dtype bf16 and one hidden: see `build`.
#include "port.h"
#include "numerics.h"
#include "frame.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <string>
#include <thread>
#include <vector>

#define CUDA(call)                                                                                                  \
    do {                                                                                                            \
        cudaError_t result_of_call = (call);                                                                                \
        if (result_of_call != cudaSuccess) {                                                                                \
            fprintf(stderr, "%s: %s (line %d)\n", #call, cudaGetErrorString(result_of_call), __LINE__);                     \
            exit(3);                                                                                                \
        }                                                                                                           \
    } while (0)

static constexpr int RANKS = LS_RANKS;
static constexpr int HIDDEN = LS_HIDDEN;

// ---- NCCL, found when running ----
struct NcclUniqueId { char bytes[128]; };
struct Nccl {
    int (*initAll)(void **, int, const int *) = nullptr;
    int (*allReduce)(const void *, void *, size_t, int, int, void *, cudaStream_t) = nullptr;
    int (*version)(int *) = nullptr;
    bool open() {
        void *library = dlopen("libnccl.so.2", RTLD_NOW);
        if (library == nullptr) {
            fprintf(stderr, "NCCL is not there: %s\n", dlerror());
            return false;
        }
        initAll = (decltype(initAll))dlsym(library, "ncclCommInitAll");
        allReduce = (decltype(allReduce))dlsym(library, "ncclAllReduce");
        version = (decltype(version))dlsym(library, "ncclGetVersion");
        return initAll != nullptr && allReduce != nullptr;
    }
};
static constexpr int NCCL_BF16 = 9, NCCL_SUM = 0;

// ---- One rank ----
struct Rank {
    cudaStream_t stream;
    u8 *memory;
    u64 bytes;
    LsState *state;
    LsReport *report;
    void *input, *residual, *weight, *residual_out, *out, *reduced;
    void *nccl = nullptr;
    LsArgs args;
};
static Rank ranks[RANKS];
static int sms;
static int devices;
static bool pdl = true;
static int most_spares = 16;

enum Variant { ONE_PUSH, TWO_PUSH, ONE_PULL, TWO_PULL, NCCL_NORM, EMPTY, VARIANTS };
static const char *NAMES[] = {"one-push", "two-push", "one-pull", "two-pull", "nccl+norm", "empty"};
// Each rank has kernels of its own, compiled for it: files beside this program.
static const char *ENTRIES[] = {"ls_one_shot_push", "ls_two_shot_push", "ls_one_shot_pull", "ls_two_shot_pull", "ls_finish_sums"};
static cudaKernel_t kernels[RANKS][EMPTY];
static void load_kernels(const std::string &program, const std::string &suffix) {
    for (int i = 0; i < RANKS; i++) {
        std::string file = program + suffix + "_rank" + std::to_string(i) + ".cubin";
        cudaLibrary_t library;
        CUDA(cudaLibraryLoadFromFile(&library, file.c_str(), nullptr, nullptr, 0, nullptr, nullptr, 0));
        for (int v = 0; v < EMPTY; v++) CUDA(cudaLibraryGetKernel(&kernels[i][v], library, ENTRIES[v]));
    }
}
static const void *kernel_of(int v, int rank) { return (const void *)kernels[rank][v]; }
__global__ void empty_kernel(LS_ARGS a) { ls_wait_for_previous_kernel(); ls_let_next_kernel_start(); }

static int most_blocks(int v, int per_sm) {
    int fit = 0;
    CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&fit, kernel_of(v, RANKS - 1), LS_THREADS, 0));
    int share = (RANKS + devices - 1) / devices;
    return std::max(1, std::min(LS_MOST_BLOCKS, std::min(per_sm, fit) * sms / (share > 1 ? 2 * share : 1) - most_spares));
}

static void launch_kernel(Rank &r, const void *kernel, int blocks, LsArgs *args) {
    cudaLaunchAttribute attribute = {};
    attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attribute.val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(blocks);
    config.blockDim = dim3(LS_THREADS);
    config.stream = r.stream;
    config.attrs = &attribute;
    config.numAttrs = pdl ? 1 : 0;
    void *parameters[] = {args};
    CUDA(cudaLaunchKernelExC(&config, kernel, parameters));
}

static Nccl nccl;
static void launch(int rank, int v, u32 tokens, int per_sm) {
    Rank &r = ranks[rank];
    LsArgs args = r.args;
    args.tokens = tokens;
    if (v == EMPTY) {
        launch_kernel(r, (const void *)empty_kernel, 1, &args);
    } else if (v == NCCL_NORM) {
        int status = nccl.allReduce(r.input, r.reduced, (size_t)tokens * HIDDEN, NCCL_BF16, NCCL_SUM, r.nccl, r.stream);
        if (status != 0) {
            fprintf(stderr, "ncclAllReduce: %d\n", status);
            exit(3);
        }
        args.input = r.reduced;
        launch_kernel(r, kernel_of(v, rank), std::min<int>(tokens, 8 * sms), &args);
    } else {
        u32 items = v == ONE_PUSH || v == ONE_PULL ? tokens : (tokens + RANKS - 1) / RANKS;
        args.carriers = std::min<int>(items, most_blocks(v, per_sm));
        launch_kernel(r, kernel_of(v, rank), args.carriers + std::min<int>(args.carriers, most_spares), &args);
    }
}

static void check_reports() {
    for (int i = 0; i < RANKS; i++) {
        LsReport *p = ranks[i].report;
        if (p->what != 0) {
            printf("rank %d gave up: what %u, peer %u, epoch %u, block %u, expected %u, found %u\n", i, p->what, p->peer, p->epoch, p->block, p->expected, p->found);
            exit(1);
        }
    }
}

// ---- The contract on the host ----
static float from_bf16(uint16_t b) { uint32_t u = (uint32_t)b << 16; float f; memcpy(&f, &u, 4); return f; }
static uint16_t to_bf16(float f) {
    uint32_t u; memcpy(&u, &f, 4);
    return std::isnan(f) ? 0x7FC0 : (uint16_t)((u + 0x7FFF + ((u >> 16) & 1)) >> 16);
}
static float tree(const std::vector<float> &row) {
    size_t blocks = 1;
    while (blocks < (row.size() + 31) / 32) blocks *= 2;
    std::vector<float> s(blocks * 16, 0.0f);
    for (size_t b = 0; b < blocks; b++)
        for (size_t l = 0; l < 16; l++) {
            size_t i = b * 32 + 2 * l;
            float x = i < row.size() ? row[i] * row[i] : 0.0f, y = i + 1 < row.size() ? row[i + 1] * row[i + 1] : 0.0f;
            s[b * 16 + l] = x + y;
        }
    for (size_t w = 1; w < blocks; w *= 2)
        for (size_t b = 0; b < blocks; b += 2 * w)
            for (size_t l = 0; l < 16; l++) s[b * 16 + l] = s[b * 16 + l] + s[(b + w) * 16 + l];
    std::vector<float> lane(s.begin(), s.begin() + 16);
    for (int d = 1; d < 16; d *= 2) {
        std::vector<float> next(16);
        for (int l = 0; l < 16; l++) next[l] = lane[l] + lane[l ^ d];
        lane = next;
    }
    return lane[0];
}

static std::vector<uint16_t> host_input[RANKS], host_residual, host_weight;
static uint64_t state_of_random = 88172645463325252ull;
static uint16_t random_bf16() {
    state_of_random ^= state_of_random << 13; state_of_random ^= state_of_random >> 7; state_of_random ^= state_of_random << 17;
    return to_bf16((float)((int)(state_of_random % 20001) - 10000) / 3777.0f);
}
static void upload(u32 tokens) {
    size_t n = (size_t)tokens * HIDDEN;
    host_residual.resize(n); host_weight.resize(HIDDEN);
    for (auto &x : host_residual) x = random_bf16();
    for (auto &x : host_weight) x = random_bf16();
    for (int i = 0; i < RANKS; i++) {
        host_input[i].resize(n);
        for (auto &x : host_input[i]) x = random_bf16();
        host_input[i][n / 2] = 0xFFFF; host_input[i][n / 2 + 1] = 0xFFFF; // the reserved word
        CUDA(cudaSetDevice(i % devices));
        CUDA(cudaMemcpy(ranks[i].input, host_input[i].data(), n * 2, cudaMemcpyHostToDevice));
        CUDA(cudaMemcpy(ranks[i].residual, host_residual.data(), n * 2, cudaMemcpyHostToDevice));
        CUDA(cudaMemcpy(ranks[i].weight, host_weight.data(), HIDDEN * 2, cudaMemcpyHostToDevice));
    }
}
static long compare(u32 tokens) {
    long wrong = 0;
    std::vector<uint16_t> got_out((size_t)tokens * HIDDEN), got_sum(got_out.size()), got_reduced(got_out.size());
    for (int i = 0; i < RANKS; i++) {
        CUDA(cudaSetDevice(i % devices));
        CUDA(cudaMemcpy(got_out.data(), ranks[i].out, got_out.size() * 2, cudaMemcpyDeviceToHost));
        CUDA(cudaMemcpy(got_sum.data(), ranks[i].residual_out, got_out.size() * 2, cudaMemcpyDeviceToHost));
        u32 step = std::max<u32>(1, tokens / 257);
        for (u32 t = 0; t < tokens; t += step) {
            std::vector<float> row(HIDDEN);
            for (int c = 0; c < HIDDEN; c++) {
                size_t at = (size_t)t * HIDDEN + c;
                float sum = from_bf16(host_input[0][at]);
                for (int p = 1; p < RANKS; p++) sum = sum + from_bf16(host_input[p][at]);
                row[c] = from_bf16(to_bf16(from_bf16(to_bf16(sum)) + from_bf16(host_residual[at])));
                wrong += to_bf16(row[c]) != got_sum[at];
            }
            float scale = 1.0f / std::sqrt(tree(row) / (float)HIDDEN + 1e-6f);
            for (int c = 0; c < HIDDEN; c++) {
                float y = (row[c] * scale) * from_bf16(host_weight[c]);
                wrong += to_bf16(y) != got_out[(size_t)t * HIDDEN + c];
            }
        }
    }
    return wrong;
}

static double graph_time(int v, u32 tokens, int per_sm, int calls, int replays) {
    std::barrier<> meet(RANKS);
    std::vector<std::vector<double>> times(RANKS, std::vector<double>(replays));
    std::vector<std::thread> threads;
    for (int i = 0; i < RANKS; i++) {
        threads.emplace_back([&, i] {
            Rank &r = ranks[i];
            CUDA(cudaSetDevice(i % devices));
            cudaGraph_t graph;
            cudaGraphExec_t exec;
            CUDA(cudaStreamBeginCapture(r.stream, cudaStreamCaptureModeThreadLocal));
            for (int c = 0; c < calls; c++) launch(i, v, tokens, per_sm);
            CUDA(cudaStreamEndCapture(r.stream, &graph));
            CUDA(cudaGraphInstantiate(&exec, graph, 0));
            cudaEvent_t begin, end;
            CUDA(cudaEventCreate(&begin));
            CUDA(cudaEventCreate(&end));
            for (int k = -3; k < replays; k++) {
                CUDA(cudaStreamSynchronize(r.stream));
                meet.arrive_and_wait();
                CUDA(cudaEventRecord(begin, r.stream));
                CUDA(cudaGraphLaunch(exec, r.stream));
                CUDA(cudaEventRecord(end, r.stream));
                CUDA(cudaStreamSynchronize(r.stream));
                float ms = 0;
                CUDA(cudaEventElapsedTime(&ms, begin, end));
                if (k >= 0) times[i][k] = ms * 1e3 / calls;
            }
            meet.arrive_and_wait();
            CUDA(cudaGraphExecDestroy(exec));
            CUDA(cudaGraphDestroy(graph));
            CUDA(cudaEventDestroy(begin));
            CUDA(cudaEventDestroy(end));
        });
    }
    for (auto &t : threads) t.join();
    check_reports();
    std::vector<double> slowest(replays);
    for (int k = 0; k < replays; k++)
        for (int i = 0; i < RANKS; i++) slowest[k] = std::max(slowest[k], times[i][k]);
    std::sort(slowest.begin(), slowest.end());
    return slowest[replays / 2];
}

// One event pair a call; and what the host spends on a launch.
static void eager_time(int v, u32 tokens, int per_sm, double *device, double *host) {
    std::barrier<> meet(RANKS);
    const int calls = 2000;
    std::vector<double> spent(RANKS), all(RANKS);
    std::vector<std::thread> threads;
    for (int i = 0; i < RANKS; i++) {
        threads.emplace_back([&, i] {
            Rank &r = ranks[i];
            CUDA(cudaSetDevice(i % devices));
            cudaEvent_t begin, end;
            CUDA(cudaEventCreate(&begin));
            CUDA(cudaEventCreate(&end));
            for (int k = 0; k < 200; k++) launch(i, v, tokens, per_sm);
            CUDA(cudaStreamSynchronize(r.stream));
            meet.arrive_and_wait();
            timespec a, b;
            CUDA(cudaEventRecord(begin, r.stream));
            clock_gettime(CLOCK_MONOTONIC, &a);
            for (int k = 0; k < calls; k++) launch(i, v, tokens, per_sm);
            clock_gettime(CLOCK_MONOTONIC, &b);
            CUDA(cudaEventRecord(end, r.stream));
            CUDA(cudaStreamSynchronize(r.stream));
            float ms = 0;
            CUDA(cudaEventElapsedTime(&ms, begin, end));
            all[i] = ms * 1e3 / calls;
            spent[i] = ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / 1e3 / calls;
        });
    }
    for (auto &t : threads) t.join();
    check_reports();
    *device = *std::max_element(all.begin(), all.end());
    *host = *std::max_element(spent.begin(), spent.end());
}

static std::vector<int> numbers(const char *text) {
    std::vector<int> n;
    for (const char *at = text; *at;) {
        n.push_back((int)strtol(at, (char **)&at, 10));
        if (*at == ',') at++;
    }
    return n;
}

int main(int count, char **words) {
    std::vector<int> variants = {0, 1, 2, 3, 4, 5}, tokens = {1, 8, 16, 64, 128, 256, 512, 1024, 1319, 2048, 4096, 16384}, per_sm = {1, 2, 4};
    bool check = false, eager = false;
    int calls = 50, replays = 15;
    for (int i = 1; i < count; i++) {
        std::string word = words[i];
        if (word == "--check") check = true;
        else if (word == "--eager") eager = true;
        else if (word == "--no-pdl") pdl = false;
        else if (word == "--tokens" && i + 1 < count) tokens = numbers(words[++i]);
        else if (word == "--spares" && i + 1 < count) most_spares = atoi(words[++i]);
        else if (word == "--variants" && i + 1 < count) variants = numbers(words[++i]);
        else if (word == "--blocks-per-sm" && i + 1 < count) per_sm = numbers(words[++i]);
        else if (word == "--calls" && i + 1 < count) calls = atoi(words[++i]);
        else if (word == "--replays" && i + 1 < count) replays = atoi(words[++i]);
        else { fprintf(stderr, "Unknown word '%s'; see the head of gpu_baseline.cu.\n", words[i]); return 2; }
    }
    const char *suffix = getenv("LOCKSTEP_SUFFIX");
    if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
        fprintf(stderr, "No CUDA device.\n");
        return 3;
    }
    devices = std::min(devices, RANKS);
    load_kernels(words[0], suffix == nullptr ? "" : suffix);
    CUDA(cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, 0));
    u64 most = *std::max_element(tokens.begin(), tokens.end());
    u64 row = LS_ROW_BYTES;
    u64 capacity = std::max<u64>((most + RANKS - 1) / RANKS, std::min<u64>(most, std::max<u64>(1, (64 << 20) / row)));
    u64 sums = LS_AT_ROWS + 4 * RANKS * capacity * row, staging = sums + 4 * most * row, result = staging + most * row;
    for (int i = 0; i < RANKS; i++) {
        Rank &r = ranks[i];
        CUDA(cudaSetDevice(i % devices));
        for (int p = 0; p < devices; p++)
            if (p != i % devices) {
                cudaError_t status = cudaDeviceEnablePeerAccess(p, 0);
                if (status != cudaSuccess && status != cudaErrorPeerAccessAlreadyEnabled) CUDA(status);
                (void)cudaGetLastError();
            }
        CUDA(cudaStreamCreateWithFlags(&r.stream, cudaStreamNonBlocking));
        r.bytes = result + most * row;
        CUDA(cudaMalloc(&r.memory, r.bytes));
        CUDA(cudaMemset(r.memory, 0, LS_AT_ROWS));
        CUDA(cudaMemset(r.memory + LS_AT_ROWS, 0xFF, staging - LS_AT_ROWS));
        CUDA(cudaMalloc(&r.state, sizeof(LsState)));
        CUDA(cudaMemset(r.state, 0, sizeof(LsState)));
        CUDA(cudaHostAlloc(&r.report, sizeof(LsReport), cudaHostAllocMapped));
        memset((void *)r.report, 0, sizeof(LsReport));
        for (void **t : {&r.input, &r.residual, &r.residual_out, &r.out, &r.reduced}) CUDA(cudaMalloc(t, most * row));
        CUDA(cudaMalloc(&r.weight, row));
        CUDA(cudaDeviceSynchronize());
    }
    for (int i = 0; i < RANKS; i++) {
        LsArgs &a = ranks[i].args;
        Rank &r = ranks[i];
        a = {};
        a.input = r.input; a.residual = r.residual; a.weight = r.weight; a.residual_out = r.residual_out; a.out = r.out;
        for (int p = 0; p < RANKS; p++) a.memory[p] = ranks[p].memory;
        a.state = r.state; a.report = r.report; a.deadline = 2000000000ull;
        a.sums = sums; a.staging = staging; a.result = result;
        a.capacity = (u32)capacity; a.most_tokens = (u32)most; a.rank = i; a.epsilon = 1e-6f;
    }
    bool has_nccl = devices == RANKS && nccl.open();
    if (has_nccl) {
        void *comms[RANKS];
        int list[RANKS];
        for (int i = 0; i < RANKS; i++) list[i] = i;
        has_nccl = nccl.initAll(comms, RANKS, list) == 0;
        for (int i = 0; has_nccl && i < RANKS; i++) ranks[i].nccl = comms[i];
        int version = 0;
        if (has_nccl) { nccl.version(&version); printf("NCCL %d\n", version); }
    }
    if (has_nccl) {
        // Its connections are made at the first call, which may not be captured.
        std::vector<std::thread> threads;
        for (int i = 0; i < RANKS; i++)
            threads.emplace_back([i] {
                CUDA(cudaSetDevice(i % devices));
                launch(i, NCCL_NORM, 1, 1);
                CUDA(cudaStreamSynchronize(ranks[i].stream));
            });
        for (auto &thread : threads) thread.join();
    }
    if (check) {
        long total = 0;
        for (u32 t : tokens) {
            for (int v = ONE_PUSH; v <= TWO_PULL; v++) {
                if ((v == ONE_PUSH) && t > capacity) continue;
                for (int p : per_sm) {
                    upload(t);
                    for (int i = 0; i < RANKS; i++) {
                        CUDA(cudaSetDevice(i % devices));
                        CUDA(cudaMemset(ranks[i].out, 0x55, (size_t)t * row));
                        CUDA(cudaMemset(ranks[i].residual_out, 0x55, (size_t)t * row));
                        CUDA(cudaDeviceSynchronize());
                    }
                    std::vector<std::thread> threads;
                    for (int i = 0; i < RANKS; i++)
                        threads.emplace_back([&, i] {
                            CUDA(cudaSetDevice(i % devices));
                            for (int k = 0; k < 9; k++) launch(i, v, t, p);
                            CUDA(cudaStreamSynchronize(ranks[i].stream));
                        });
                    for (auto &thread : threads) thread.join();
                    check_reports();
                    long wrong = compare(t);
                    total += wrong;
                    if (wrong) printf("%u x %d %s, %d blocks per SM: %ld wrong\n", t, HIDDEN, NAMES[v], p, wrong);
                }
            }
        }
        printf("checked %d x %d ranks, %zu token counts: %ld wrong\n", HIDDEN, RANKS, tokens.size(), total);
        if (total) return 1;
    }
    cudaDeviceProp properties;
    CUDA(cudaGetDeviceProperties(&properties, 0));
    printf("%s x %d, TP %d, hidden %d, bf16, PDL %s, %d calls a graph, median of %d, slowest rank, us; in brackets the best blocks per SM\n", properties.name, devices, RANKS, HIDDEN, pdl ? "on" : "off", calls, replays);
    printf("%8s", "tokens");
    for (int v : variants) printf("  %14s", NAMES[v]);
    printf("\n");
    for (u32 t : tokens) {
        printf("%8u", t);
        for (int v : variants) {
            if ((v == ONE_PUSH && (t > capacity || t > 4096)) || (v == NCCL_NORM && !has_nccl) || (v == ONE_PULL && t > 4096 && RANKS > 2)) {
                printf("  %14s", "-");
                continue;
            }
            double best = 1e30;
            int best_p = 0;
            int last_blocks = 0;
            for (int p : per_sm) {
                if (v < NCCL_NORM) {
                    u32 items = v == ONE_PUSH || v == ONE_PULL ? t : (t + RANKS - 1) / RANKS;
                    int blocks = std::min<int>(items, most_blocks(v, p));
                    if (blocks == last_blocks) continue;
                    last_blocks = blocks;
                }
                double us = graph_time(v, t, p, t > 4000 ? 10 : calls, replays);
                if (us < best) { best = us; best_p = p; }
                if (v >= NCCL_NORM) break;
            }
            printf("  %10.2f (%d)", best, best_p);
            fflush(stdout);
        }
        printf("\n");
    }
    if (eager) {
        printf("eager, us a call on the device / us of the host for a launch\n");
        for (u32 t : tokens) {
            if (t > 2048) continue;
            printf("%8u", t);
            for (int v : {ONE_PUSH, TWO_PUSH, EMPTY}) {
                double device, host;
                eager_time(v, t, per_sm[0], &device, &host);
                printf("  %s %.2f / %.2f", NAMES[v], device, host);
            }
            printf("\n");
        }
    }
    return 0;
}
