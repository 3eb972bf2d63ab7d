package io.lockstep.litmus.kodkod;

import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Scope;
import io.lockstep.litmus.model.Event;
import io.lockstep.litmus.model.Program;
import io.lockstep.litmus.model.Values;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Small random programs with a random outcome: each read must return one given value. Half of them are noise, half pass
 * a message through a chain of threads and ask whether the last one may miss what the first one wrote, since few
 * programs of noise depend on a release or an acquire.
 */
final class RandomPrograms {
    private static final List<Order> STORES = List.of(Order.WEAK, Order.RELAXED, Order.RELEASE);
    private static final List<Order> LOADS = List.of(Order.WEAK, Order.RELAXED, Order.ACQUIRE);
    private static final List<Order> ATOMICS =
            List.of(Order.RELAXED, Order.ACQUIRE, Order.RELEASE, Order.ACQUIRE_RELEASE);
    private static final List<Order> FENCES =
            List.of(Order.ACQUIRE, Order.RELEASE, Order.ACQUIRE_RELEASE, Order.SEQUENTIALLY_CONSISTENT);

    private static final List<Scope> SCOPES = List.of(Scope.values());

    private RandomPrograms() {}

    static Program next(RandomGenerator random) {
        return random.nextBoolean() ? noise(random) : chain(random);
    }

    /**
     * A message that passes through two or three threads, in one kernel or two, with a question: does the last one see
     * what the first one wrote, and no later value? Most links are strong, and one in a few is weak, so that the answer
     * hangs on every part of a model: orders, scopes, fences, barriers of both kinds, kernel boundaries, awaited
     * epochs, read-modify-writes.
     */
    static Program question(RandomGenerator random) {
        return new Question(random).ask();
    }

    private static final class Question {
        private final RandomGenerator random;
        private final Program.Builder builder = new Program.Builder();
        private final boolean again;
        private int kernel;
        private int meetings;

        Question(RandomGenerator random) {
            this.random = random;
            this.again = random.nextInt(3) == 0;
        }

        Program ask() {
            builder.boundary(random.nextBoolean() ? Scope.DEVICE : Scope.SYSTEM);
            builder.location("data", 0);
            int threads = 2 + random.nextInt(2);
            int[] devices = new int[threads];
            int[] workgroups = new int[threads];
            for (int i = 0; i < threads; i++) {
                devices[i] = random.nextInt(2);
                workgroups[i] = random.nextInt(4) == 0 ? i : devices[i] * 10;
            }
            for (int i = 0; i < threads; i++) {
                thread(i, threads, devices[i], workgroups[i]);
            }
            return builder.build();
        }

        private void thread(int i, int threads, int device, int workgroup) {
            kernel = device * 100;
            meetings = 0;
            int thread = strand("P" + i, device, workgroup);
            if (i == 0) {
                data(thread, 1);
            } else {
                await(thread, "flag" + i, 1);
            }
            thread = pass(thread, "P" + i, device, workgroup);
            if (i < threads - 1) {
                tell(thread, "flag" + (i + 1), 1);
                if (i == 0 && again) {
                    // The first thread goes on to the next round, told by the last one or too early.
                    if (random.nextInt(3) > 0) {
                        await(thread, "done", 1);
                    }
                    fence(thread);
                    data(thread, 2);
                }
            } else {
                read(thread);
                if (again) {
                    thread = pass(thread, "P" + i, device, workgroup);
                    tell(thread, "done", 1);
                }
            }
        }

        private int strand(String name, int device, int workgroup) {
            return builder.thread(new Program.Strand(name, device, workgroup, kernel));
        }

        /** What may stand between two accesses: fences, a barrier, the end of a kernel. */
        private int pass(int thread, String name, int device, int workgroup) {
            fence(thread);
            if (random.nextInt(3) == 0) {
                Event.Kind kind = random.nextInt(4) == 0 ? Event.Kind.LOCAL_BARRIER : Event.Kind.BARRIER;
                // A thread meets the others once at each meeting, and not every time.
                builder.barrier(thread, kind, ++meetings * (random.nextInt(3) == 0 ? 100 + thread : 1), "bar");
            }
            int next = thread;
            if (random.nextInt(5) == 0) {
                builder.kernel(thread, Event.Kind.KERNEL_END);
                builder.follows(kernel, ++kernel);
                next = strand(name + "'", device, workgroup);
                builder.kernel(next, Event.Kind.KERNEL_START);
            }
            fence(next);
            return next;
        }

        private void fence(int thread) {
            if (random.nextInt(3) == 0) {
                builder.fence(thread, pick(FENCES, random), scope(random), random.nextInt(6) > 0, "fence");
            }
        }

        private void data(int thread, int value) {
            Order order = random.nextInt(5) == 0 ? pick(STORES, random) : Order.WEAK;
            builder.write(thread, order, scope(random), 0, value, "st");
        }

        private void read(int thread) {
            Order order = random.nextInt(5) == 0 ? pick(LOADS, random) : Order.WEAK;
            builder.judgedRead(thread, order, scope(random), 0, Values.ANY, 1, "ld");
        }

        private void tell(int thread, String flag, int value) {
            int location = builder.location(flag, 0);
            Order order = random.nextInt(6) == 0 ? Order.WEAK : pick(List.of(Order.RELAXED, Order.RELEASE), random);
            if (random.nextInt(6) == 0) {
                Values none = new Values(Values.Test.EXACTLY, 0);
                builder.readModifyWrite(thread, pick(ATOMICS, random), scope(random), location, none, value, "atom");
            } else {
                builder.write(thread, order, scope(random), location, value, "st");
            }
            if (random.nextInt(5) == 0) {
                builder.write(thread, pick(STORES, random), scope(random), location, value + 1, "st");
            }
        }

        private void await(int thread, String flag, int value) {
            int location = builder.location(flag, 0);
            Values values = new Values(random.nextInt(3) == 0 ? Values.Test.EXACTLY : Values.Test.AT_LEAST, value);
            Order order = pick(List.of(Order.RELAXED, Order.ACQUIRE, Order.ACQUIRE), random);
            if (random.nextInt(6) == 0) {
                builder.readModifyWrite(
                        thread, pick(ATOMICS, random), scope(random), location, values, value + 2, "atom");
            } else {
                builder.read(thread, order, scope(random), location, values, "await");
            }
        }
    }

    private static Program chain(RandomGenerator random) {
        Program.Builder builder = new Program.Builder();
        int threads = 2 + random.nextInt(2);
        for (int i = 0; i <= threads; i++) {
            builder.location("x" + i, 0);
        }
        for (int i = 0; i < threads; i++) {
            int device = random.nextInt(2);
            int thread = builder.thread(new Program.Strand("P" + i, device, device * 2 + random.nextInt(2), i));
            Values one = new Values(Values.Test.EXACTLY, 1);
            if (i == 0) {
                builder.write(thread, pick(STORES, random), scope(random), 0, 1, "st");
            } else if (random.nextInt(5) == 0) {
                builder.readModifyWrite(thread, pick(ATOMICS, random), scope(random), i, one, 2, "atom");
            } else {
                builder.read(thread, pick(LOADS, random), scope(random), i, one, "ld");
            }
            if (random.nextInt(3) == 0) {
                builder.fence(thread, pick(FENCES, random), scope(random), true, "fence");
            }
            if (random.nextInt(4) == 0) {
                builder.barrier(thread, Event.Kind.BARRIER, 0, "bar");
            }
            if (i == threads - 1) {
                Values zero = new Values(Values.Test.EXACTLY, 0);
                builder.read(thread, pick(LOADS, random), scope(random), 0, zero, "ld");
            } else {
                builder.write(thread, pick(STORES, random), scope(random), i + 1, 1, "st");
            }
        }
        return builder.build();
    }

    /** Mostly the widest: narrow scopes across devices order nothing. */
    private static Scope scope(RandomGenerator random) {
        return random.nextInt(3) == 0 ? pick(SCOPES, random) : Scope.SYSTEM;
    }

    private static Program noise(RandomGenerator random) {
        Program.Builder builder = new Program.Builder();
        int locations = 1 + random.nextInt(3);
        for (int i = 0; i < locations; i++) {
            builder.location("x" + i, 0);
        }
        int threads = 2 + random.nextInt(2);
        for (int i = 0; i < threads; i++) {
            int device = random.nextInt(2);
            int workgroup = device * 2 + random.nextInt(2);
            int thread = builder.thread(new Program.Strand("P" + i, device, workgroup, i));
            int meetings = 0;
            int last = -1;
            for (int k = 1 + random.nextInt(4); k > 0; k--) {
                Scope scope = pick(SCOPES, random);
                int location = random.nextInt(locations);
                Values value = new Values(Values.Test.EXACTLY, random.nextInt(3));
                int id = -1;
                switch (random.nextInt(8)) {
                    case 0, 1, 2 ->
                        id = builder.write(thread, pick(STORES, random), scope, location, 1 + random.nextInt(2), "st");
                    case 3, 4 -> {
                        last = builder.read(thread, pick(LOADS, random), scope, location, value, "ld");
                    }
                    case 5 -> builder.fence(thread, pick(FENCES, random), scope, true, "fence");
                    case 6 -> {
                        id = builder.readModifyWrite(
                                        thread,
                                        pick(ATOMICS, random),
                                        scope,
                                        location,
                                        value,
                                        1 + random.nextInt(2),
                                        "atom")
                                + 1;
                    }
                    default -> builder.barrier(thread, Event.Kind.BARRIER, meetings++, "bar");
                }
                if (id >= 0 && last >= 0 && random.nextInt(3) == 0) {
                    builder.depends(last, id);
                }
            }
        }
        return builder.build();
    }

    private static <T> T pick(List<T> from, RandomGenerator random) {
        return from.get(random.nextInt(from.size()));
    }
}
