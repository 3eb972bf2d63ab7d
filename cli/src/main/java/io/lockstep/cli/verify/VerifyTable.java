package io.lockstep.cli.verify;

import io.lockstep.cli.console.Console;
import io.lockstep.cli.console.Table;
import io.lockstep.cli.gpu.GpuPlans;
import java.util.List;
import java.util.Locale;

/** What was found, for people: a table, what there is to say about some lines, and one sentence. */
public final class VerifyTable {
    private final VerifyOptions options;
    private final Console console;

    public VerifyTable(VerifyOptions options, Console console) {
        this.options = options;
        this.console = console;
    }

    /** Prints it. */
    public void print(Verification found) {
        Table table = new Table()
                .right("shape")
                .left("algorithm")
                .right("iterations")
                .right("wrong bits")
                .right("max_abs_err")
                .left("first_bad")
                .left("verdict");
        for (ShapeResult result : found.results()) {
            if (result.tallies().isEmpty()) {
                table.row(List.of(result.shape().toString(), "-", "0", "-", "-", "-", verdict(result.verdict())));
            }
            for (int i = 0; i < result.tallies().size(); i++) {
                String algorithm = options.algorithms().get(i);
                table.row(row(result, algorithm, result.tallies().get(i)));
            }
        }
        console.out().print(table.render());
        console.out().println();
        found.results().stream()
                .filter(result -> result.verdict() == ShapeResult.Verdict.SKIPPED && result.reason() != null)
                .forEach(result -> console.out().println(result.shape() + " was skipped. " + result.reason()));
        console.out().println(sentence(found));
        options.algorithms().stream()
                .filter(label -> GpuPlans.exchangeOfWrong(label).isPresent())
                .forEach(protocol -> console.out().println(ofWrongProtocol(protocol, found)));
        console.out().flush();
    }

    private List<String> row(ShapeResult result, String algorithm, Tally tally) {
        FirstBad bad = tally.firstBad();
        return List.of(
                result.shape().toString(),
                algorithm,
                Integer.toString(result.iterations()),
                Long.toString(tally.wrongBits()),
                tally.right() ? "0" : String.format(Locale.ROOT, "%.3g", tally.maxAbsErr()),
                bad == null ? "-" : bad.brief(),
                verdict(tally.right() ? ShapeResult.Verdict.RIGHT : ShapeResult.Verdict.WRONG));
    }

    private String verdict(ShapeResult.Verdict verdict) {
        return switch (verdict) {
            case RIGHT -> console.good("right");
            case WRONG -> console.bad("WRONG");
            case FAILED -> console.bad("FAILED");
            case SKIPPED -> console.faint("skipped");
        };
    }

    /** The one sentence that the output ends with. */
    public String sentence(Verification found) {
        String group = options.worldSize() + " ranks (" + options.dtype() + ", "
                + (options.asProcesses() ? "processes" : "threads") + ")";
        long wrong = count(found, ShapeResult.Verdict.WRONG);
        long right = count(found, ShapeResult.Verdict.RIGHT);
        if (wrong > 0) {
            String where = found.firstBad()
                    .map(bad ->
                            " First: " + bad.brief() + ", expected " + bad.expected() + ", found " + bad.found() + ".")
                    .orElse("");
            String saved = found.saved() == null ? "" : " The call is in " + found.saved() + ".";
            return console.bad("WRONG") + ": " + wrong + " of "
                    + options.shapes().size() + " shapes have wrong bits on " + group + "." + where + saved
                    + " The same again: --seed " + options.seed() + ".";
        }
        if (found.failure() != null) {
            String reason = found.results().stream()
                    .filter(result -> result.verdict() == ShapeResult.Verdict.FAILED)
                    .map(result -> result.shape() + " failed on " + group + ". " + result.reason())
                    .findFirst()
                    .orElse("A rank failed.");
            return console.bad("FAILED") + ": " + reason;
        }
        if (right == 0) {
            return "Nothing could be verified here.";
        }
        long calls = found.results().stream()
                .mapToLong(result -> result.calls() * result.tallies().size())
                .sum();
        String skipped =
                right == found.results().size() ? "" : " (" + (found.results().size() - right) + " skipped)";
        return console.good("Right") + ": every bit of " + right + " shapes" + skipped + " on " + group + ", "
                + calls + " calls in " + String.format(Locale.ROOT, "%.0f", found.seconds()) + " s, seed "
                + options.seed() + ".";
    }

    /** What the finding says of a protocol that the memory models call wrong: numbers that are right prove nothing. */
    private static String ofWrongProtocol(String protocol, Verification found) {
        return "The protocol " + protocol + " is wrong under the memory model ('lockstep litmus --explain " + protocol
                + "'), and "
                + (found.firstBad().isPresent()
                        ? "this machine shows it."
                        : found.failure() == null
                                ? "this machine did not show it in these calls: that does not make it right."
                                : "a call failed with it.");
    }

    private static long count(Verification found, ShapeResult.Verdict verdict) {
        return found.results().stream()
                .filter(result -> result.verdict() == verdict)
                .count();
    }
}
