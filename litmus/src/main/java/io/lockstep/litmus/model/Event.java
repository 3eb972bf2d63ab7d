package io.lockstep.litmus.model;

import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Scope;

/**
 * One thing that a thread does.
 *
 * @param id its number; within a thread, numbers follow program order
 * @param thread which thread does it
 * @param kind what it is
 * @param order how strongly it orders; {@link Order#WEAK} for ordinary accesses
 * @param scope among which threads
 * @param location what it accesses, or -1
 * @param value what a write writes
 * @param accepts what a read may return for the program to go on as it does
 * @param expected what a judged read should return
 * @param judged whether a read's value is what the question is about
 * @param partner the write of an atomic read-modify-write for its read, and the reverse; else -1
 * @param instance which meeting a barrier belongs to, or -1
 * @param makesAvailable whether a fence also moves data between caches (AMDGPU only)
 * @param text how it is printed
 */
public record Event(
        int id,
        int thread,
        Kind kind,
        Order order,
        Scope scope,
        int location,
        long value,
        Values accepts,
        long expected,
        boolean judged,
        int partner,
        int instance,
        boolean makesAvailable,
        String text) {

    /** What an event is. */
    public enum Kind {
        /** The value a location has at first. */
        INITIAL,
        /** A store, or the store of a read-modify-write. */
        WRITE,
        /** A load, or the load of a read-modify-write. */
        READ,
        /** A fence. */
        FENCE,
        /** A work-group barrier that orders all memory. */
        BARRIER,
        /** A barrier's arrival that does not wait. */
        ARRIVE,
        /** A work-group barrier that orders local memory only. */
        LOCAL_BARRIER,
        /** The end of a thread's kernel. */
        KERNEL_END,
        /** The start of a thread's kernel. */
        KERNEL_START
    }

    /** Whether it writes a location. */
    public boolean isWrite() {
        return kind == Kind.WRITE || kind == Kind.INITIAL;
    }

    /** Whether it reads a location. */
    public boolean isRead() {
        return kind == Kind.READ;
    }

    /** Whether it reads or writes a location. */
    public boolean isAccess() {
        return isRead() || isWrite();
    }

    /** Whether it is atomic: a strong operation in PTX's words. Fences are. */
    public boolean isStrong() {
        return order != Order.WEAK;
    }

    /** Whether it is a fence or an access with at least release order. */
    public boolean releases() {
        return (kind == Kind.FENCE || kind == Kind.WRITE) && order.releases();
    }

    /** Whether it is a fence or an access with at least acquire order. */
    public boolean acquires() {
        return (kind == Kind.FENCE || kind == Kind.READ) && order.acquires();
    }
}
