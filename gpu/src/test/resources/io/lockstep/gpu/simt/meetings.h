// Where lanes meet: barriers, shuffles and values of a whole wave. A part of simt.cpp.
namespace simt {

void syncthreads(int line) { arrive(running->block->all, line, true); }

void meet(int line, bool waits) { arrive(running->block->passing, line, waits); }

uint32_t uniform(uint32_t value) {
    Lane &lane = *running;
    Block &block = *lane.block;
    uint32_t first = lane.place.thread / options.wave * options.wave;
    uint32_t end = first + options.wave < options.threads ? first + options.wave : options.threads;
    Wave &wave = block.waves[first / options.wave];
    uint32_t &common = wave.value[wave.meetings & 1];
    if (wave.together == 0) {
        common = value;
    }
    if (++wave.together < end - first) {
        lane.awaited = nullptr;
        lane.state = State::WAITING;
        leave();
        return common;
    }
    wave.together = 0;
    wave.meetings++;
    for (uint32_t i = first; i < end; i++) {
        block.lanes[i].state = State::READY;
    }
    return common;
}

// What each of 32 neighbours brings, in their order. What they do with it they must do by one mask.
static const float *exchanged(float value, uint32_t mask) {
    Lane &lane = *running;
    uint32_t me = lane.place.thread % NEIGHBOURS;
    uint32_t first = lane.place.thread - me;
    Exchange &exchange = lane.block->exchanges[first / NEIGHBOURS];
    uint32_t phase = exchange.phase & 1;
    exchange.value[phase][me] = value;
    if (exchange.arrived > 0 && exchange.mask[phase] != mask) {
        fail(lane, "Its neighbours shuffle by another mask, or vote.");
    }
    exchange.mask[phase] = mask;
    if (++exchange.arrived == NEIGHBOURS) {
        exchange.arrived = 0;
        exchange.phase++;
        for (uint32_t i = 0; i < NEIGHBOURS; i++) {
            Lane &other = lane.block->lanes[first + i];
            if (&other != &lane) {
                other.state = State::READY;
            }
        }
    } else {
        lane.awaited = nullptr;
        lane.state = State::WAITING;
        leave();
    }
    return exchange.value[phase];
}
float shuffle_xor(float value, uint32_t mask) {
    uint32_t me = running->place.thread % NEIGHBOURS;
    return exchanged(value, mask)[me ^ mask];
}
bool all(bool value) {
    const float *values = exchanged(value ? 1.0f : 0.0f, NEIGHBOURS);
    return std::find(values, values + NEIGHBOURS, 0.0f) == values + NEIGHBOURS;
}

} // namespace simt
