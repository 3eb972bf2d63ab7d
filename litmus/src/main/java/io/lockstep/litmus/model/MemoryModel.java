package io.lockstep.litmus.model;

import io.lockstep.core.protocol.Model;

/** A memory model: it starts an execution of a program, and the execution knows the rest. */
public interface MemoryModel {
    /** Which one. */
    Model model();

    /** An execution in which nothing has been read yet. */
    Execution begin(Program program);

    /** The model of a name. */
    static MemoryModel of(Model model) {
        return switch (model) {
            case PTX -> new PtxModel();
            case AMDGPU -> new AmdgpuModel();
            case JAVA -> new JavaModel();
        };
    }
}
