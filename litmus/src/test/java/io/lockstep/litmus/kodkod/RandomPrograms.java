package io.lockstep.litmus.kodkod;

import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Scope;
import io.lockstep.litmus.model.Event;
import io.lockstep.litmus.model.Program;
import io.lockstep.litmus.model.Values;
import java.util.List;
import java.util.random.RandomGenerator;

/** Small random programs with a random outcome: each read must return one given value. */
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
