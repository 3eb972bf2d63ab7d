package io.lockstep.core.cpu;

import io.lockstep.core.Operation;
import java.lang.foreign.MemorySegment;

/**
 * What the lanes of a plan have in common.
 *
 * @param rank this rank
 * @param operation what is computed
 * @param layout of the plan's memory
 * @param memory the plan's memory
 * @param operands the tensors of the call
 * @param call the call
 * @param words the verbs
 * @param vectorBits the width of the kernels
 * @param crowded whether there are fewer processors than threads of all ranks
 */
record Setup(
        int rank,
        Operation operation,
        PlanLayout layout,
        MemorySegment memory,
        Operands operands,
        Call call,
        SharedWords words,
        int vectorBits,
        boolean crowded) {}
