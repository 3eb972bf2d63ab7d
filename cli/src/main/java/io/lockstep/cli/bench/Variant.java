package io.lockstep.cli.bench;

import io.lockstep.core.Algorithm;

/**
 * One way to do the work, which takes turns with the others.
 *
 * @param name in tables and files
 * @param kind what is run
 * @param algorithm of a plan; an external program names its own
 * @param external the algorithm and the copy of an external program
 */
public record Variant(String name, Kind kind, Algorithm algorithm, String external) {
    /** What is run. */
    public enum Kind {
        /** The fused step, its input in the caller's memory. */
        PRIVATE,
        /** The fused step, its input in the memory that the plan lends. */
        LENT,
        /** All-reduce, add and norm as three passes. */
        UNFUSED,
        /** No collective: the input's bytes copied once within each rank's memory. */
        COPY,
        /** Another program. */
        EXTERNAL,
        /** An exchange, an algorithm or a protocol on GPUs, by its name. */
        GPU,
        /** All-reduce by the vendor's library, then the rest in one kernel. */
        GPU_LIBRARY,
        /** All-reduce, add and norm on GPUs, each with a launch of its own. */
        GPU_UNFUSED
    }

    static Variant fused(boolean lent, Algorithm algorithm) {
        String name = algorithm == Algorithm.AUTO ? "lockstep" : "lockstep " + algorithm;
        return new Variant(lent ? name + " lent" : name, lent ? Kind.LENT : Kind.PRIVATE, algorithm, "");
    }

    static Variant unfused() {
        return new Variant("unfused", Kind.UNFUSED, Algorithm.AUTO, "");
    }

    /** On GPUs, by the name that a person gives. */
    static Variant onGpu(String name) {
        Kind kind = switch (name) {
            case "nccl" -> Kind.GPU_LIBRARY;
            case "unfused" -> Kind.GPU_UNFUSED;
            default -> Kind.GPU;
        };
        return new Variant(name, kind, Algorithm.AUTO, "");
    }

    static Variant copy() {
        return new Variant("copy", Kind.COPY, Algorithm.AUTO, "");
    }

    static Variant external(String algorithm, String copy) {
        return new Variant(algorithm + " " + copy, Kind.EXTERNAL, Algorithm.AUTO, algorithm + " " + copy);
    }
}
