package io.lockstep.core.protocol;

/** The memory models that a protocol can be judged under. */
public enum Model {
    /** NVIDIA's PTX, instruction set manual, memory consistency model. */
    PTX("PTX"),
    /** LLVM's model for AMD GPUs: happens-before with availability and visibility. */
    AMDGPU("AMDGPU"),
    /** Java's access modes: release and acquire through a VarHandle. */
    JAVA("Java");

    private final String label;

    Model(String label) {
        this.label = label;
    }

    /** The name in a table. */
    public String label() {
        return label;
    }
}
