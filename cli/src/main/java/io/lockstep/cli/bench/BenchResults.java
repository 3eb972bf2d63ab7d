package io.lockstep.cli.bench;

import io.lockstep.cli.bench.BenchFile.OrderingPrice;
import io.lockstep.cli.bench.BenchFile.Skipped;
import io.lockstep.cli.gpu.GpuPlans;
import io.lockstep.gpu.kernel.Exchange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** From blocks to lines. */
final class BenchResults {
    private static final String COPY = Variant.copy().name();
    private static final double PERCENT = 100;
    private static final double NANOS_PER_MICRO = 1000;

    private final BenchOptions options;

    BenchResults(BenchOptions options) {
        this.options = options;
    }

    List<BenchResult> of(List<ShapeMeasurement> measurements) {
        List<BenchResult> results = new ArrayList<>();
        for (ShapeMeasurement measurement : measurements) {
            for (Placement placement : Placement.values()) {
                for (Variant variant : measurement.blocks().keySet()) {
                    List<Block> blocks = in(measurement, variant.name(), placement);
                    if (!blocks.isEmpty()) {
                        results.add(result(measurement, variant, placement, blocks));
                    }
                }
            }
        }
        return results;
    }

    static List<Skipped> skipped(List<ShapeMeasurement> measurements) {
        List<Skipped> skipped = new ArrayList<>();
        for (ShapeMeasurement measurement : measurements) {
            if (measurement.skipped() != null) {
                skipped.add(skipped(measurement, null, measurement.skipped()));
            }
            measurement.absent().forEach((variant, why) -> skipped.add(skipped(measurement, variant.name(), why)));
        }
        return skipped;
    }

    private static Skipped skipped(ShapeMeasurement measurement, @Nullable String variant, String why) {
        return new Skipped(measurement.shape().tokens(), measurement.shape().hidden(), variant, why);
    }

    /** What an exchange takes more than the same one with a protocol that is wrong, where both were measured. */
    List<OrderingPrice> prices(List<ShapeMeasurement> measurements) {
        List<OrderingPrice> prices = new ArrayList<>();
        for (ShapeMeasurement measurement : measurements) {
            for (Placement placement : Placement.values()) {
                for (Variant variant : measurement.blocks().keySet()) {
                    Optional<Exchange> exchange = GpuPlans.exchangeOfWrong(variant.name());
                    Double ratio = exchange.isEmpty()
                            ? null
                            : ratio(
                                    measurement,
                                    in(measurement, exchange.get().label(), placement),
                                    placement,
                                    variant.name());
                    if (exchange.isPresent() && ratio != null) {
                        prices.add(new OrderingPrice(
                                measurement.shape().tokens(),
                                measurement.shape().hidden(),
                                placement.label(),
                                exchange.get().label(),
                                variant.name(),
                                (ratio - 1) * PERCENT));
                    }
                }
            }
        }
        return prices;
    }

    private BenchResult result(ShapeMeasurement measurement, Variant variant, Placement placement, List<Block> blocks) {
        long bytes = measurement.shape().elements() * options.dtype().bytes();
        Percentiles percentiles = percentiles(blocks);
        double algorithmGb = bytes / (percentiles.p50() * 1000);
        int ranks = options.worldSize();
        double host =
                Percentiles.median(blocks.stream().mapToDouble(Block::hostNanos).toArray());
        boolean external = variant.kind() == Variant.Kind.EXTERNAL;
        String algorithm = external ? null : measurement.algorithms().get(variant);
        return new BenchResult(
                measurement.shape().tokens(),
                measurement.shape().hidden(),
                bytes,
                variant.name(),
                algorithm == null || algorithm.equals("-") ? null : algorithm,
                placement.label(),
                blocks.size(),
                blocks.stream().mapToLong(Block::iterations).sum(),
                Percentiles.median(
                        blocks.stream().mapToDouble(Block::roundTripNanos).toArray()),
                host == 0 ? null : host / NANOS_PER_MICRO,
                percentiles.p50(),
                percentiles.p90(),
                percentiles.p99(),
                algorithmGb,
                algorithmGb * 2 * (ranks - 1) / ranks,
                ratio(measurement, blocks, placement, options.baseline()),
                ratio(measurement, blocks, placement, COPY));
    }

    private static Percentiles percentiles(List<Block> blocks) {
        long[] samples = blocks.stream()
                .flatMapToLong(block -> LongStream.of(block.samples()))
                .toArray();
        return samples.length > 0
                ? Percentiles.of(samples)
                : Percentiles.medianOf(blocks.stream().map(Block::percentiles).toList());
    }

    /** Of blocks of the same turn and placement only: whatever disturbs the machine disturbs both. */
    private static @Nullable Double ratio(
            ShapeMeasurement measurement, List<Block> blocks, Placement placement, @Nullable String to) {
        if (to == null) {
            return null;
        }
        List<Block> others = in(measurement, to, placement);
        double[] ratios = blocks.stream()
                .flatMapToDouble(block -> others.stream()
                        .filter(other -> other.repetition() == block.repetition())
                        .mapToDouble(other ->
                                block.percentiles().p50() / other.percentiles().p50()))
                .toArray();
        return ratios.length == 0 ? null : Percentiles.median(ratios);
    }

    private static List<Block> in(ShapeMeasurement measurement, String variant, Placement placement) {
        return measurement.blocks().entrySet().stream()
                .filter(entry -> entry.getKey().name().equals(variant))
                .map(Map.Entry::getValue)
                .flatMap(List::stream)
                .filter(block -> block.placement() == placement)
                .toList();
    }
}
