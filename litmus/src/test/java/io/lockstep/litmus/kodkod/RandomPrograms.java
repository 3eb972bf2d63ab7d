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
