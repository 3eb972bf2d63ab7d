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

    /** The same step, on another buffer where it is on this one. */
    default Step on(Buffer old, Buffer other) {
        return this;
    }

    /** A step that is an atomic access, with an order and a scope. */
    sealed interface Access extends Step {
        /** How strongly it orders. */
        Order order();

        /** Among which threads. */
        Scope scope();

        /** The same access with another order and scope. */
        Access ordered(Order order, Scope scope);
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

    /** Whose number of words re-arming covers. */
    enum Extent {
        /** As many as the call used whose words they were. */
        OF_ITS_CALL,
        /** As many as the call uses that re-arms them. */
        OF_THIS_CALL
    }

    /** What a header says of a call. */
    enum Naming {
        /** Its number, and what it does: the tokens and the algorithm. */
        EPOCH_AND_FINGERPRINT,
        /** Its number alone. */
        EPOCH,
        /** What it does alone. */
        FINGERPRINT
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
    record StoreFlag(Role role, Buffer flags, Epoch epoch, Order order, Scope scope, int ahead) implements Access {
        /** In its own round. */
        public StoreFlag(Role role, Buffer flags, Epoch epoch, Order order, Scope scope) {
            this(role, flags, epoch, order, scope, 0);
        }

        @Override
        public StoreFlag ordered(Order newOrder, Scope newScope) {
            return new StoreFlag(role, flags, epoch, newOrder, newScope, ahead);
        }

        @Override
        public StoreFlag on(Buffer old, Buffer other) {
            return flags.equals(old) ? new StoreFlag(role, other, epoch, order, scope, ahead) : this;
        }
    }

    /** Poll until every peer has told the epoch. */
    record AwaitFlag(Role role, Buffer flags, Epoch epoch, Comparison comparison, Order order, Scope scope)
            implements Access {
        @Override
        public AwaitFlag ordered(Order newOrder, Scope newScope) {
            return new AwaitFlag(role, flags, epoch, comparison, newOrder, newScope);
        }

        @Override
        public AwaitFlag on(Buffer old, Buffer other) {
            return flags.equals(old) ? new AwaitFlag(role, other, epoch, comparison, order, scope) : this;
        }
    }

    /** Write this round's values with ordinary stores. */
    record WriteData(Role role, Buffer buffer, Home home, int ahead) implements Step {
        /** In its own round. */
        public WriteData(Role role, Buffer buffer, Home home) {
            this(role, buffer, home, 0);
        }

        @Override
        public WriteData on(Buffer old, Buffer other) {
            return buffer.equals(old) ? new WriteData(role, other, home, ahead) : this;
        }
    }

    /** Read this round's values, of every peer, with ordinary loads. */
    record ReadData(Role role, Buffer buffer, Home home) implements Step {
        @Override
        public ReadData on(Buffer old, Buffer other) {
            return buffer.equals(old) ? new ReadData(role, other, home) : this;
        }
    }

    /** Store this round's words in every peer's memory; each word is its own flag. */
    record SendWords(Role role, Buffer words, Order order, Scope scope) implements Access {
        @Override
        public SendWords ordered(Order newOrder, Scope newScope) {
            return new SendWords(role, words, newOrder, newScope);
        }

        @Override
        public SendWords on(Buffer old, Buffer other) {
            return words.equals(old) ? new SendWords(role, other, order, scope) : this;
        }
    }

    /** Poll this round's words of every peer, in own memory, until none is the reserved pattern. */
    record ReceiveWords(Role role, Buffer words, Order order, Scope scope) implements Access {
        @Override
        public ReceiveWords ordered(Order newOrder, Scope newScope) {
            return new ReceiveWords(role, words, newOrder, newScope);
        }

        @Override
        public ReceiveWords on(Buffer old, Buffer other) {
            return words.equals(old) ? new ReceiveWords(role, other, order, scope) : this;
        }
    }

    /**
     * Put the reserved pattern back into own memory, over the words of an earlier round.
     *
     * @param extent over how many of them
     */
    record RearmWords(Role role, Buffer words, Epoch epoch, Extent extent, Order order, Scope scope) implements Access {
        @Override
        public RearmWords ordered(Order newOrder, Scope newScope) {
            return new RearmWords(role, words, epoch, extent, newOrder, newScope);
        }

        @Override
        public RearmWords on(Buffer old, Buffer other) {
            return words.equals(old) ? new RearmWords(role, other, epoch, extent, order, scope) : this;
        }
    }

    /** Tell every peer which call this is, in a word of its own, by which the peer knows whose words it takes. */
    record SendHeader(Role role, Buffer headers, Naming naming, Order order, Scope scope) implements Access {
        @Override
        public SendHeader ordered(Order newOrder, Scope newScope) {
            return new SendHeader(role, headers, naming, newOrder, newScope);
        }

        @Override
        public SendHeader on(Buffer old, Buffer other) {
            return headers.equals(old) ? new SendHeader(role, other, naming, order, scope) : this;
        }
    }

    /**
     * Poll every peer's header until it is of this round or a later one, and compare it with this rank's own. A call
     * whose headers differ ends in an error; none has results before all of them are seen to be the same.
     */
    record CheckHeader(Role role, Buffer headers, Order order, Scope scope) implements Access {
        @Override
        public CheckHeader ordered(Order newOrder, Scope newScope) {
            return new CheckHeader(role, headers, newOrder, newScope);
        }

        @Override
        public CheckHeader on(Buffer old, Buffer other) {
            return headers.equals(old) ? new CheckHeader(role, other, order, scope) : this;
        }
    }

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
