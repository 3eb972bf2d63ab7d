package io.lockstep.cli.bench;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.gpu.GpuPlans;
import io.lockstep.core.Algorithm;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * From options to the variants that take turns.
 *
 * @param variants all of them; the first is what all is about
 * @param baseline the name of the one that ratios are to; null for none
 */
public record BenchVariants(
        List<Variant> variants, @Nullable String baseline) {
    private static final String NONE = "none";

    /** What is measured on GPUs beside exchanges and protocols. */
    private static final List<String> OF_GPUS = List.of("unfused", "nccl");

    /**
     * Reads the options of ranks on GPUs.
     *
     * @param variants names with commas between; empty for every exchange and the choice between them
     * @param protocol one more, by name; null for none
     * @param baseline one more of them, or none
     * @throws CommandFailure if a word is unknown
     */
    public static BenchVariants onGpus(String variants, @Nullable String protocol, String baseline) {
        Set<String> names = new LinkedHashSet<>();
        if (variants.isEmpty()) {
            names.addAll(GpuPlans.labels());
            names.addAll(OF_GPUS);
        } else {
            for (String word : variants.split(",", -1)) {
                names.add(requireOnGpus("--variants has", word.strip()));
            }
        }
        if (protocol != null) {
            names.add(GpuPlans.requireProtocol(protocol));
        }
        if (!baseline.equals(NONE)) {
            names.add(requireOnGpus("--baseline is", baseline));
        }
        // The price of right ordering is told against the exchange of the same accesses.
        for (String name : List.copyOf(names)) {
            GpuPlans.exchangeOfWrong(name).ifPresent(exchange -> names.add(exchange.label()));
        }
        return new BenchVariants(names.stream().map(Variant::onGpu).toList(), baseline.equals(NONE) ? null : baseline);
    }

    private static String requireOnGpus(String what, String name) {
        if (GpuPlans.labels().contains(name) || OF_GPUS.contains(name)) {
            return name;
        }
        try {
            return GpuPlans.requireProtocol(name);
        } catch (CommandFailure unknown) {
            throw CommandFailure.usage(what + " '" + name + "': expected " + String.join(", ", GpuPlans.labels()) + ", "
                    + String.join(", ", OF_GPUS) + " or a protocol that 'lockstep litmus' lists.");
        }
    }

    /**
     * Reads the options.
     *
     * @param input private, lent or both
     * @param algorithm of the fused step
     * @param baseline unfused, one-shot, two-shot or none
     * @param external a list of ALGORITHM:COPY, empty for none
     * @throws CommandFailure if a word is unknown
     */
    public static BenchVariants of(String input, Algorithm algorithm, String baseline, String external) {
        Set<Variant> variants = new LinkedHashSet<>();
        switch (input) {
            case "private" -> variants.add(Variant.fused(false, algorithm));
            case "lent" -> variants.add(Variant.fused(true, algorithm));
            case "both" -> variants.addAll(List.of(Variant.fused(false, algorithm), Variant.fused(true, algorithm)));
            default -> throw CommandFailure.usage("--input is '" + input + "': expected private, lent or both.");
        }
        Variant base = switch (baseline) {
            case "unfused" -> Variant.unfused();
            case "one-shot" -> Variant.fused(false, Algorithm.ONE_SHOT);
            case "two-shot" -> Variant.fused(false, Algorithm.TWO_SHOT);
            case "none" -> null;
            default ->
                throw CommandFailure.usage(
                        "--baseline is '" + baseline + "': expected unfused, one-shot, two-shot or none.");
        };
        if (base != null) {
            variants.add(base);
        }
        variants.add(Variant.copy());
        for (String word : external.isEmpty() ? List.<String>of() : List.of(external.split(",", -1))) {
            String[] parts = word.strip().split(":", -1);
            if (parts.length != 2 || parts[0].isBlank() || parts[1].isBlank()) {
                throw CommandFailure.usage("--against-variants has '" + word
                        + "': expected ALGORITHM:COPY, such as fused:plain, with commas between.");
            }
            variants.add(Variant.external(parts[0], parts[1]));
        }
        return new BenchVariants(new ArrayList<>(variants), base == null ? null : base.name());
    }
}
