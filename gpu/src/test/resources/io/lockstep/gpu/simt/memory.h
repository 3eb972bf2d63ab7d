// How lanes reach memory that ranks share: flags and fences, for ThreadSanitizer or not, and stores that arrive late.
// A part of simt.cpp, which explains the shadows.
namespace simt {

#if defined(SIMT_TSAN)
namespace {
template <typename Access>
auto as(void *shadow, Access access) {
    __tsan_switch_to_fiber(shadow, NO_SYNC);
    auto result = access();
    __tsan_switch_to_fiber(running->fiber, NO_SYNC);
    return result;
}
} // namespace

void store_flag(uint32_t *at, uint32_t value, bool release) {
    Lane &lane = *running;
    if (release || lane.releasing == nullptr) {
        __tsan_atomic32_store(at, value, release ? __ATOMIC_RELEASE : __ATOMIC_RELAXED);
    } else {
        as(lane.releasing, [&] {
            __tsan_atomic32_store(at, value, __ATOMIC_RELEASE);
            return 0;
        });
    }
}

uint32_t load_flag(const uint32_t *at, bool acquire) {
    Lane &lane = *running;
    if (acquire) {
        return __tsan_atomic32_load(at, __ATOMIC_ACQUIRE);
    }
    if (lane.acquiring == nullptr) {
        lane.acquiring = __tsan_create_fiber(0);
    }
    return as(lane.acquiring, [&] { return __tsan_atomic32_load(at, __ATOMIC_ACQUIRE); });
}

void fence(bool release, bool acquire) {
    Lane &lane = *running;
    if (release) {
        if (lane.releasing == nullptr) {
            lane.releasing = __tsan_create_fiber(0);
        }
        __tsan_release(&lane.release_token);
        as(lane.releasing, [&] {
            __tsan_acquire(&lane.release_token);
            return 0;
        });
    }
    if (acquire && lane.acquiring != nullptr) {
        as(lane.acquiring, [&] {
            __tsan_release(&lane.acquire_token);
            return 0;
        });
        __tsan_acquire(&lane.acquire_token);
    }
}
#else
void store_flag(uint32_t *at, uint32_t value, bool) { __atomic_store_n(at, value, __ATOMIC_RELAXED); }

uint32_t load_flag(const uint32_t *at, bool) { return __atomic_load_n(at, __ATOMIC_RELAXED); }

void fence(bool release, bool) {
    if (release) {
        uint32_t rank = running->block->rank;
        // What an earlier kernel of this device has stored, the kernel boundary puts before the fence.
        flush([&](const Late &word) { return word.rank == rank && word.call < ranks[rank].calls; });
    }
}
#endif

void store_late(uint32_t *at, uint32_t value) {
    uint32_t rank = running->block->rank;
    if ((uint8_t *)at >= regions[rank].begin && (uint8_t *)at < regions[rank].end) {
        late[at] = {value, rank, ranks[rank].calls, clock_nanos + random(MOST_LATE) * ROUND_NANOS};
    } else {
        *at = value;
    }
}

uint32_t load_late(const uint32_t *at) {
    auto found = late.find(const_cast<uint32_t *>(at));
    return found == late.end() || found->second.rank != running->block->rank ? *at : found->second.value;
}

} // namespace simt
