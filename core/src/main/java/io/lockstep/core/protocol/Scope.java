package io.lockstep.core.protocol;

/** Among which threads an access or a fence has its order. */
public enum Scope {
    /** The work-group (PTX: cta). */
    WORKGROUP("cta"),
    /** The device (PTX: gpu, AMDGPU: agent). */
    DEVICE("gpu"),
    /** Everything that shares the memory: all devices and the host. */
    SYSTEM("sys");

    private final String label;

    Scope(String label) {
        this.label = label;
    }

    /** The spelling of PTX. */
    public String label() {
        return label;
    }
}
