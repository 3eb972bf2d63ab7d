package io.lockstep.cli.bench;

import io.lockstep.cli.bench.BenchFile.OrderingPrice;
import io.lockstep.cli.console.Console;
import io.lockstep.cli.console.Table;
import io.lockstep.cli.machine.Machine;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What was measured, for people: a table for each placement of the cores. */
public final class BenchTable {
    private final Console console;

    public BenchTable(Console console) {
        this.console = console;
    }

    /** Prints it. */
    public void print(BenchFile file) {
        for (Placement placement : Placement.values()) {
            List<BenchResult> results = file.results().stream()
                    .filter(result -> result.placement().equals(placement.label()))
                    .toList();
            if (!results.isEmpty()) {
                console.out().println(title(placement, results));
                console.out().print(table(file, placement, results).render());
                console.out().println();
            }
        }
        file.skipped()
                .forEach(skipped -> console.out()
                        .println(skipped.tokens() + "x" + skipped.hidden()
                                + (skipped.variant() == null ? "" : " by " + skipped.variant()) + " was skipped. "
                                + skipped.reason()));
        prices(file);
        console.out().println(sentence(file));
        console.out().flush();
    }

    private static String title(Placement placement, List<BenchResult> results) {
        String what = capital(placement.words());
        return switch (placement) {
            case GRAPH ->
                what + ", " + GpuCourse.CALLS_OF_GRAPH + " in each; µs a call of the slowest rank, of each replay";
            case EAGER ->
                what + ", each between two events; µs of the slowest rank; host: to queue one call without events";
            case NEAR, FAR, MIXED ->
                String.format(
                        Locale.ROOT,
                        "%s (a flag's round trip takes %.0f ns); µs of the slowest rank",
                        what,
                        Percentiles.median(results.stream()
                                .mapToDouble(BenchResult::roundTripNs)
                                .toArray()));
        };
    }

    /** What right ordering costs, a line for each protocol that is wrong. */
    private void prices(BenchFile file) {
        Map<String, List<OrderingPrice>> protocols = file.prices().stream()
                .collect(Collectors.groupingBy(
                        price -> price.exchange() + " over " + price.protocol() + " (" + price.placement() + ")",
                        LinkedHashMap::new,
                        Collectors.toList()));
        protocols.forEach((name, prices) -> console.out()
                .println("The price of right ordering, " + name + ": "
                        + percent(Percentiles.median(prices.stream()
                                .mapToDouble(OrderingPrice::percent)
                                .toArray()))
                        + " as the median over the shapes ("
                        + prices.stream()
                                .map(price -> price.tokens() + "x" + price.hidden() + " " + percent(price.percent()))
                                .collect(Collectors.joining(", "))
                        + ")."));
    }

    private static String percent(double percent) {
        return String.format(Locale.ROOT, "%+.1f %%", percent);
    }

    private Table table(BenchFile file, Placement placement, List<BenchResult> results) {
        boolean onGpus = placement == Placement.GRAPH || placement == Placement.EAGER;
        Table table = new Table()
                .right("shape")
                .right("bytes")
                .left("variant")
                .left("algorithm")
                .right("p50")
                .right("p90")
                .right("p99")
                .right("GB/s")
                .right(file.baseline() == null ? "vs none" : "vs " + file.baseline())
                .right(onGpus ? "host" : "vs copy")
                .right(placement == Placement.GRAPH ? "replays" : "calls");
        String previous = "";
        for (BenchResult result : results) {
            boolean again = result.shape().equals(previous);
            previous = result.shape();
            List<String> row = new ArrayList<>();
            row.add(again ? "" : result.shape());
            row.add(again ? "" : Machine.bytes(result.bytes()));
            row.add(result.variant());
            row.add(result.algorithm() == null ? "-" : result.algorithm());
            row.add(micros(result.p50Us()));
            row.add(micros(result.p90Us()));
            row.add(micros(result.p99Us()));
            row.add(String.format(Locale.ROOT, "%.2f", result.algorithmGbPerS()));
            row.add(ratio(result.ratioToBaseline()));
            row.add(onGpus ? host(result) : ratio(result.ratioToCopy()));
            row.add(Long.toString(result.iterations()));
            table.row(row);
        }
        return table;
    }

    private static String sentence(BenchFile file) {
        if (file.baseline() == null) {
            return "Measured " + file.results().size() + " lines on " + file.ranks() + " ranks.";
        }
        String first = file.results().isEmpty() ? "" : file.results().getFirst().variant();
        double[] ratios = file.results().stream()
                .filter(result -> result.variant().equals(first) && result.ratioToBaseline() != null)
                .mapToDouble(result -> result.ratioToBaseline() == null ? 1 : result.ratioToBaseline())
                .toArray();
        return ratios.length == 0
                ? "No block of " + first + " ran under the same conditions as one of " + file.baseline()
                        + ": give more --budget."
                : String.format(
                        Locale.ROOT,
                        "On %d ranks (%s) %s takes %.2f of the time of %s, as the median over the shapes.",
                        file.ranks(),
                        file.dtype(),
                        first,
                        Percentiles.median(ratios),
                        file.baseline());
    }

    private static String micros(double micros) {
        return String.format(Locale.ROOT, micros < 100 ? "%.2f" : "%.0f", micros);
    }

    private static String host(BenchResult result) {
        return result.hostUs() == null ? "-" : micros(result.hostUs());
    }

    private static String ratio(@Nullable Double ratio) {
        return ratio == null ? "-" : String.format(Locale.ROOT, "%.2fx", ratio);
    }

    private static String capital(String word) {
        return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    }
}
