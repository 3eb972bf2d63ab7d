package io.lockstep.cli.plot;

import io.lockstep.cli.bench.BenchFile;
import io.lockstep.cli.bench.BenchResult;
import io.lockstep.cli.bench.Placement;
import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.console.Json;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Time by size, both logarithmic: a line for each variant. */
public final class BenchPlot {
    private static final int WIDTH = 1200;
    private static final int HEIGHT = 750;
    private static final double KIB = 1024;

    private BenchPlot() {}

    /** Draws the results of one placement. */
    public static void draw(BenchFile file, String placement, Path png) {
        Map<String, List<BenchResult>> variants = file.results().stream()
                .filter(result -> result.placement().equals(placement))
                .collect(
                        Collectors.groupingBy(BenchResult::variant, java.util.LinkedHashMap::new, Collectors.toList()));
        if (variants.isEmpty()) {
            throw CommandFailure.usage("The file has no results with " + Placement.words(placement) + ": it has "
                    + file.results().stream()
                            .map(BenchResult::placement)
                            .distinct()
                            .collect(Collectors.joining(", "))
                    + ".");
        }
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title("All-reduce + residual + RMSNorm, " + file.ranks() + " ranks, " + file.dtype() + ", "
                        + Placement.words(placement))
                .xAxisTitle("input of one rank, KiB")
                .yAxisTitle("p50 of the slowest rank, µs")
                .build();
        chart.getStyler()
                .setXAxisLogarithmic(true)
                .setYAxisLogarithmic(true)
                .setLegendPosition(LegendPosition.InsideNW);
        variants.forEach((variant, results) -> {
            List<BenchResult> sorted = results.stream()
                    .sorted(Comparator.comparingLong(BenchResult::bytes))
                    .toList();
            chart.addSeries(
                            variant,
                            sorted.stream()
                                    .mapToDouble(result -> result.bytes() / KIB)
                                    .toArray(),
                            sorted.stream().mapToDouble(BenchResult::p50Us).toArray())
                    .setMarker(SeriesMarkers.CIRCLE);
        });
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        chart.paint(graphics, WIDTH, HEIGHT);
        graphics.dispose();
        try {
            ImageIO.write(image, "png", png.toFile());
        } catch (IOException failure) {
            throw CommandFailure.cannotRun("Cannot write " + png + ": " + Json.reason(failure) + ".", failure);
        }
    }

    /** The placement with the most calls. */
    public static String mostCommon(BenchFile file) {
        return file.results().stream()
                .collect(Collectors.groupingBy(BenchResult::placement, Collectors.summingLong(BenchResult::iterations)))
                .entrySet()
                .stream()
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey)
                .orElseThrow(() -> CommandFailure.usage("The file has no results: every shape was skipped."));
    }
}
