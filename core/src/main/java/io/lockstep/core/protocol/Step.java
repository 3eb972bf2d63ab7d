package io.lockstep.core.protocol;

/**
 * One step of a round. The steps of a protocol are done in the order of its list by every thread that has the role.
 *
 * <p>{@link #ahead} says how many rounds early a step is done: with 1, the step of round {@code r + 1} is done where
 * the list puts it in round {@code r}, and that of the first round before everything else.
 */
public sealed interface Step {

    /** Who does it. */
    Role role();

    /** How many rounds ahead it is done; 0 unless said otherwise. */
    default int ahead() {
        return 0;
    }

    /** What a work-group barrier orders. */
    enum Reach {
        /** All memory: {@code bar.sync}, {@code __syncthreads()}. */
        FULL,
        /** Only the execution and the work-group's local memory: a bare {@code s_barrier}. PTX has no such barrier. */
        LOCAL_ONLY
    }

    /** How an awaited epoch is compared with the one expected. */
    enum Comparison {
        /** This epoch or a later one. */
        AT_LEAST,
        /** This epoch and no other. */
        EXACTLY
    }

    /** All threads of the work-group meet. */
    record WorkgroupBarrier(Reach reach) implements Step {
        @Override
        public Role role() {
            return Role.ALL;
        }
    }

    /**
     * A fence.
     *
     * @param makesAvailable false for AMDGPU's fences marked {@code amdgcn-av none}: they order, and neither write back
     *     nor invalidate a cache
     */
    record Fence(Role role, Order order, Scope scope, boolean makesAvailable) implements Step {
        /** An ordinary fence. */
        public Fence(Role role, Order order, Scope scope) {
            this(role, order, scope, true);
        }
    }

    /** Tell every peer an epoch: store it in the peer's slot for this rank. */
    record StoreFlag(Role role, Buffer flags, Epoch epoch, Order order, Scope scope, int ahead) implements Step {
        /** In its own round. */
        public StoreFlag(Role role, Buffer flags, Epoch epoch, Order order, Scope scope) {
            this(role, flags, epoch, order, scope, 0);
        }
    }

    /** Poll until every peer has told the epoch. */
    record AwaitFlag(Role role, Buffer flags, Epoch epoch, Comparison comparison, Order order, Scope scope)
            implements Step {}

    /** Write this round's values with ordinary stores. */
    record WriteData(Role role, Buffer buffer, Home home, int ahead) implements Step {
        /** In its own round. */
        public WriteData(Role role, Buffer buffer, Home home) {
            this(role, buffer, home, 0);
        }
    }

    /** Read this round's values, of every peer, with ordinary loads. */
    record ReadData(Role role, Buffer buffer, Home home) implements Step {}

    /** Store this round's words in every peer's memory; each word is its own flag. */
    record SendWords(Role role, Buffer words, Order order, Scope scope) implements Step {}

    /** Poll this round's words of every peer, in own memory, until none is the reserved pattern. */
    record ReceiveWords(Role role, Buffer words, Order order, Scope scope) implements Step {}

    /** Put the reserved pattern back into own memory, over the words of an earlier round. */
    record RearmWords(Role role, Buffer words, Epoch epoch, Order order, Scope scope) implements Step {}

    /**
     * Where the kernel ends and the next one on the stream begins.
     *
     * @param always false where the steps around may as well share a kernel: then both cases are judged
     */
    record KernelBoundary(boolean always) implements Step {
        @Override
        public Role role() {
            return Role.ALL;
        }
    }
}
