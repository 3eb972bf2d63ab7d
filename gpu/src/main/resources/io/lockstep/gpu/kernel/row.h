// One row by the threads of a block: from memory, the parts after the sum, and to memory. What is done with a row of
// sums is this file's alone.
#ifndef LS_ROW_H
#define LS_ROW_H

struct LsRow {
    LsPack pack[LS_HELD];
};

LS_FN u32 ls_pack_of(const LsCall &call, u32 held) { return call.thread + held * LS_ROW_THREADS; }
// Whether this thread holds that pack. Known while compiling for all packs but the last.
LS_FN bool ls_holds(const LsCall &call, u32 held) { return call.holds_rows && ls_pack_of(call, held) < LS_ROW_PACKS; }

// A pack of a tensor of the caller: (tokens, hidden) without gaps. Where rows are not whole packs on 16-byte boundaries
// it is gathered element by element, and filled up with zeros behind the row.
template <bool WHOLE>
LS_FN LsPack ls_load(const void *tensor, u32 row, u32 pack) {
    if constexpr (WHOLE) {
        return *(const LsPack *)((const u8 *)tensor + (u64)row * LS_ROW_BYTES + (u64)pack * 16);
    } else {
        LsPack p = {{0, 0, 0, 0}};
        u64 first = (u64)row * LS_HIDDEN + (u64)pack * LS_PACK_ELEMENTS;
#pragma unroll
        for (u32 i = 0; i < LS_PACK_ELEMENTS; i++) {
            if (pack * LS_PACK_ELEMENTS + i < LS_HIDDEN) {
#if LS_ELEMENT_BYTES == 2
                p.w[i / 2] |= (u32)((const u16 *)tensor)[first + i] << (i % 2 * 16);
#else
                p.w[i] = ((const u32 *)tensor)[first + i];
#endif
            }
        }
        return p;
    }
}
template <bool WHOLE>
LS_FN void ls_store(void *tensor, u32 row, u32 pack, const LsPack &p) {
    if constexpr (WHOLE) {
        *(LsPack *)((u8 *)tensor + (u64)row * LS_ROW_BYTES + (u64)pack * 16) = p;
    } else {
        u64 first = (u64)row * LS_HIDDEN + (u64)pack * LS_PACK_ELEMENTS;
#pragma unroll
        for (u32 i = 0; i < LS_PACK_ELEMENTS; i++) {
            if (pack * LS_PACK_ELEMENTS + i < LS_HIDDEN) {
#if LS_ELEMENT_BYTES == 2
                ((u16 *)tensor)[first + i] = (u16)(p.w[i / 2] >> (i % 2 * 16));
#else
                ((u32 *)tensor)[first + i] = p.w[i];
#endif
            }
        }
    }
}

LS_FN LsPack ls_anew(LsPack p) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
        p.w[i] = ls_anew(p.w[i]);
    }
    return p;
}
template <bool WHOLE>
LS_FN LsPack ls_load_pack(const LsCall &call, const void *tensor, u32 row, u32 held) {
    if constexpr (LS_TIGHT) {
        row = ls_anew(row);
        if constexpr (!WHOLE) {
            ls_in_order();
        }
    }
    return ls_holds(call, held) ? ls_load<WHOLE>(tensor, row, ls_pack_of(call, held)) : LsPack{{0, 0, 0, 0}};
}
template <bool WHOLE>
LS_FN LsRow ls_load_row(const LsCall &call, const void *tensor, u32 row) {
    LsRow r;
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        r.pack[h] = ls_load_pack<WHOLE>(call, tensor, row, h);
    }
    return r;
}
template <bool WHOLE>
LS_FN LsRow ls_load_residual(const LsArgs &a, const LsCall &call, u32 row) {
#if LS_RESIDUAL
    return ls_load_row<WHOLE>(call, a.residual, row);
#else
    return LsRow{};
#endif
}
template <bool WHOLE>
LS_FN LsRow ls_load_weight(const LsArgs &a, const LsCall &call) {
#if LS_NORM
    return ls_load_row<WHOLE>(call, a.weight, 0);
#else
    return LsRow{};
#endif
}

// One rank's elements, onto the sum of those before it.
LS_FN void ls_add(float (&sum)[LS_PACK_ELEMENTS], const LsPack &from, bool first) {
    float next[LS_PACK_ELEMENTS];
    ls_unpack(from, next);
#pragma unroll
    for (int i = 0; i < LS_PACK_ELEMENTS; i++) {
        sum[i] = first ? next[i] : sum[i] + next[i];
    }
}
// The sum in rank order, rounded once.
LS_FN LsPack ls_sum(const LsPack (&from)[LS_RANKS]) {
    float sum[LS_PACK_ELEMENTS];
#pragma unroll
    for (int rank = 0; rank < LS_RANKS; rank++) {
        ls_add(sum, from[rank], rank == 0);
    }
    return ls_round_sum(sum);
}

// Whether a product with these elements may be no number although the other factor is finite.
LS_FN bool ls_is_unusual(const LsRow &weight) {
    bool unusual = false;
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        float w[LS_PACK_ELEMENTS];
        ls_unpack(weight.pack[h], w);
#pragma unroll
        for (int i = 0; i < LS_PACK_ELEMENTS; i++) {
            unusual |= !ls_is_finite(w[i]);
        }
    }
    return unusual;
}

// What follows the sum of a row: residual add, norm, and the stores. All threads of the block come here, the spare warp
// too, which turns the partial sums of squares into the scale while the others wait: every warp for itself would take the
// multiprocessor longer than the second barrier does. Nothing is stored if a header was wrong or a wait given up: returns
// false then.
//
// NaNs are looked for only in rows that hold anything but finite numbers, as the sum of squares tells, and where the
// weight does.
template <bool WHOLE>
LS_FN bool ls_finish(const LsArgs &a, LsBlock &shared, const LsCall &call, u32 row, const LsRow &reduced, const LsRow &residual, const LsRow &weight) {
    float v[LS_HELD][LS_PACK_ELEMENTS];
    LsRow sum;
    if (call.holds_rows) {
#pragma unroll
        for (int h = 0; h < LS_HELD; h++) {
#if LS_RESIDUAL
            sum.pack[h] = ls_add_numbers(reduced.pack[h], LS_HELD <= 2 ? residual.pack[h] : ls_load_pack<WHOLE>(call, a.residual, row, h));
#if !LS_NORM
            sum.pack[h] = ls_canonical(sum.pack[h]);
#endif
            ls_unpack(sum.pack[h], v[h]);
#else
            ls_unpack(reduced.pack[h], v[h]);
#endif
#if LS_NORM
            // Packs that the row does not have are zeros. Partials of them alone are left out.
            float folded = ls_fold_squares(v[h], call.thread);
            u32 partial = ls_pack_of(call, h) / 32;
            if (partial < LS_PARTIALS && (call.thread & 31) < LS_LANES) {
                shared.partials[partial * LS_LANES + ls_lane_of(call.thread)] = folded;
            }
#endif
        }
    }
    ls_syncthreads();
    if (call.bad) {
        ls_raise(&shared.verdict.bad);
    }
#if LS_NORM
    if (!call.holds_rows) {
        float squares = ls_sum_partials(shared.partials, call.thread);
        bool usual;
        float scale = ls_usual_scale(squares, a.epsilon, usual);
        if (call.lane == 0) {
            shared.verdict.scale = scale;
            shared.verdict.squares = squares;
            shared.verdict.unusual = !usual;
        }
    }
#endif
    ls_syncthreads();
    LsVerdict verdict = shared.verdict;
    if (LS_WAVE_UNIFORM(verdict.bad) != 0) {
        return false;
    }
#if LS_NORM
    bool unusual = verdict.unusual;
    float scale = unusual ? ls_scale_rarely(verdict.squares, a.epsilon) : verdict.scale;
#else
    bool unusual = false;
#endif
#pragma unroll
    for (int h = 0; h < LS_HELD; h++) {
        if (!ls_holds(call, h)) {
            continue;
        }
        if (a.reduced != nullptr) {
            ls_store<WHOLE>(a.reduced, row, ls_pack_of(call, h), unusual ? ls_canonical(reduced.pack[h]) : reduced.pack[h]);
        }
#if LS_RESIDUAL
        ls_store<WHOLE>(a.residual_out, row, ls_pack_of(call, h), unusual ? ls_canonical(sum.pack[h]) : sum.pack[h]);
#endif
#if LS_NORM
        float w[LS_PACK_ELEMENTS];
        if constexpr (WHOLE && !LS_TIGHT) {
            ls_unpack(weight.pack[h], w);
        } else {
            ls_unpack(ls_load<WHOLE>(a.weight, 0, ls_anew(ls_pack_of(call, h))), w);
#if LS_RESIDUAL
            ls_unpack(ls_anew(sum.pack[h]), v[h]);
#else
            ls_unpack(ls_anew(reduced.pack[h]), v[h]);
#endif
        }
#pragma unroll
        for (int i = 0; i < LS_PACK_ELEMENTS; i++) {
            v[h][i] = v[h][i] * scale * w[i];
        }
        LsPack out = ls_round_numbers(v[h]);
        ls_store<WHOLE>(a.out, row, ls_pack_of(call, h), unusual || call.unusual_weight ? ls_canonical(out) : out);
#endif
    }
    return true;
}

#endif
