package io.lockstep.core.cpu;

import io.lockstep.core.Algorithm;
import io.lockstep.core.Communicator;
import io.lockstep.core.DType;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.LockstepException;
import io.lockstep.core.Plan;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The program of a {@link LoopProcess}: for every line a group, in which it makes calls and checks them until one
 * fails.
 */
final class LoopMain {
    private LoopMain() {}

    static void main(String[] arguments) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        System.out.println("ready");
        String line;
        while ((line = in.readLine()) != null) {
            List<String> words = List.of(line.split(" ", -1));
            GroupSpec spec = GroupSpec.of(words.get(0), Integer.parseInt(words.get(1)), Integer.parseInt(words.get(2)))
                    .withThreads(1)
                    .withJoinTimeout(Duration.ofSeconds(20))
                    .withCallTimeout(Duration.ofMillis(Long.parseLong(words.get(3))));
            AtomicLong began = new AtomicLong();
            // Told when it is closed: the other side looks whether anything is left.
            try (Communicator communicator = Communicator.join(spec)) {
                loop(communicator, Long.parseLong(words.get(4)), began);
            } catch (LockstepException e) {
                report("failed " + e.getClass().getSimpleName(), began.get(), e);
            } catch (RuntimeException | Error e) {
                report("wrong " + e.getClass().getSimpleName(), began.get(), e);
            }
        }
    }

    private static void loop(Communicator communicator, long seed, AtomicLong began) {
        Plan[] plans = {
            communicator.plan(Parts.ALL.of(DType.BF16, 264, 600).withAlgorithm(Algorithm.ONE_SHOT)),
            communicator.plan(Parts.ALL.of(DType.FP32, 96, 900).withAlgorithm(Algorithm.TWO_SHOT))
        };
        System.out.println("running");
        // The same choices on every rank.
        SplittableRandom random = new SplittableRandom(seed);
        for (long call = 0; ; call++) {
            Plan plan = plans[random.nextInt(plans.length)];
            int tokens = random.nextInt(8) == 0 ? 1 + random.nextInt(600) : 1 + random.nextInt(8);
            Place input = random.nextBoolean() ? null : Place.NATIVE;
            OneCall one = new OneCall(
                    plan, communicator.worldSize(), communicator.rank(), tokens, seed + call, Layer.Mix.ORDINARY);
            try {
                one.run("call " + call, input, Place.NATIVE, false);
            } finally {
                began.set(one.began());
            }
        }
    }

    /** What happened, when, and since when this rank could hear of it: not while it made tensors or compared them. */
    private static void report(String what, long began, Throwable e) {
        System.out.println(what + " " + System.currentTimeMillis() + " " + began + " "
                + String.valueOf(e.getMessage()).replace('\n', ' '));
    }
}
