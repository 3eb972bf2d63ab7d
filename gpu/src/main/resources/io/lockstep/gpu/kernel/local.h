// Rows without peers: the parts after the sum alone, for sums that something else has made; and the whole operation over
// the inputs of all ranks on one device, which is what the exchanges are compared with. No protocol, no plan's state.
#ifndef LS_LOCAL_H
#define LS_LOCAL_H

// Whether the input is a sum already, or `memory` holds the address of each rank's input, all on this device.
#define LS_LOCAL_FINISH 0
#define LS_LOCAL_REFERENCE 1

template <bool WHOLE, u32 KIND>
LS_FN void ls_local(const LsArgs &a, LsBlock &shared) {
    LsCall call = ls_enter(shared, ls_blocks());
    LsRow weight = ls_load_weight<WHOLE>(a, call);
    call.unusual_weight = ls_is_unusual(weight);
    for (u32 row = call.block; row < a.tokens; row += call.blocks) {
        LsRow residual = ls_load_residual<WHOLE>(a, call, row);
        LsRow reduced;
        if constexpr (KIND == LS_LOCAL_FINISH) {
            reduced = ls_load_row<WHOLE>(call, a.input, row);
        } else {
#pragma unroll
            for (int h = 0; h < LS_HELD; h++) {
                LsPack from[LS_RANKS];
#pragma unroll
                for (u32 rank = 0; rank < LS_RANKS; rank++) {
                    from[rank] = ls_holds(call, h) ? ls_load<WHOLE>(a.memory[rank], row, ls_pack_of(call, h)) : LsPack{{0, 0, 0, 0}};
                }
                reduced.pack[h] = ls_sum(from);
            }
        }
        ls_finish<WHOLE>(a, shared, call, row, reduced, residual, weight);
    }
}

#endif
