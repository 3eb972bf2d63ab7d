package io.lockstep.cli.bench;

import io.lockstep.cli.console.CommandFailure;
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
