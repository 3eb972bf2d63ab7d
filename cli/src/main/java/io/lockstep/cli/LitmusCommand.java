package io.lockstep.cli;

import io.lockstep.core.UsageException;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.gpu.inspect.IsaFinding;
import io.lockstep.litmus.Judge;
import io.lockstep.litmus.Report;
import io.lockstep.litmus.Verdict;
import io.lockstep.litmus.Weakening;
import io.lockstep.litmus.file.FileJudge;
import io.lockstep.litmus.file.FileVerdict;
import io.lockstep.litmus.launch.Discipline;
import io.lockstep.litmus.launch.Explorer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code lockstep litmus}: judges protocols, or litmus files, under the memory models. Exit code 0 if every verdict is
 * the expected one, 1 if any differs, 2 for wrong usage, 3 if this machine lacks what an inspection needs.
 */
@Command(
        name = "litmus",
        description = {
            "Judge how ranks order their accesses, under the memory models of PTX, AMD GPUs and Java.",
            "Without arguments: every protocol that Lockstep knows, right and wrong ones. With files: PTX litmus tests",
            "in the style of herd. With --isa: what compiled kernels for AMD GPUs contain."
        })
public final class LitmusCommand implements Callable<Integer> {
    private static final int RIGHT = 0;
    private static final int DIFFERS = 1;

    @Option(
            names = "--explain",
            paramLabel = "NAME",
            description =
                    "Tell the counterexample of a protocol, of one made weaker, or of a way of launching, event by "
                            + "event.")
    private @Nullable String explain;

    @Option(
            names = "--isa",
            paramLabel = "FILE|ARCH",
            description = "Inspect compiled kernels for AMD GPUs: a code object, a listing, or an architecture such as "
                    + "gfx942 to compile them for.")
    private @Nullable String isa;

    @Option(names = "--json", description = "Print JSON for programs instead of a table for people.")
    private boolean json;

    @Parameters(paramLabel = "FILE", arity = "0..*", description = "PTX litmus tests to judge.")
    private List<Path> files = new ArrayList<>();

    @Spec
    private @Nullable CommandSpec spec;

    /** For picocli. */
    public LitmusCommand() {}

    @Override
    public Integer call() {
        if (isa != null) {
            return inspect(isa);
        }
        if (explain != null) {
            return explain(explain);
        }
        Report report = files.isEmpty() ? Report.ofEverything() : Report.ofFiles(judgeFiles());
        print(json ? List.of(tree(report).toPrettyString()) : report.lines());
        return report.asExpected() ? RIGHT : DIFFERS;
    }

    private int inspect(String fileOrArchitecture) {
        if (!files.isEmpty() || explain != null) {
            throw usage("--isa inspects one thing; it goes with neither files nor --explain.");
        }
        IsaReport report;
        try {
            report = IsaReport.of(fileOrArchitecture);
        } catch (UsageException e) {
            throw usage(String.valueOf(e.getMessage()));
        }
        print(json ? List.of(tree(report).toPrettyString()) : report.lines());
        return report.right() ? RIGHT : DIFFERS;
    }

    private static ObjectNode tree(IsaReport report) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("schema", 1);
        root.put("inspected", report.what());
        root.put("right", report.right());
        ArrayNode findings = root.putArray("findings");
        for (IsaFinding finding : report.findings()) {
            ObjectNode node = findings.addObject();
            node.put("rule", finding.rule().label());
            node.put("kernel", finding.kernel());
            node.put("line", finding.line());
            node.put("text", finding.text());
        }
        return root;
    }

    private int explain(String name) {
        if (!files.isEmpty()) {
            throw usage("--explain tells of one protocol; it takes no files.");
        }
        Optional<Protocol> protocol = Protocols.named(name);
        if (protocol.isPresent()) {
            return explain(protocol.get());
        }
        Optional<Weakening> weakening = Weakening.named(name);
        if (weakening.isPresent()) {
            List<Verdict> verdicts = Judge.table(List.of(weakening.get().protocol()));
            print(
                    json
                            ? List.of(tree(new Report(verdicts, List.of(), List.of()))
                                    .toPrettyString())
                            : Judge.explain(weakening.get()));
            return weakening.get().asExpected() ? RIGHT : DIFFERS;
        }
        Optional<Discipline> discipline = Arrays.stream(Discipline.values())
                .filter(other -> other.label().equals(name))
                .findFirst();
        if (discipline.isEmpty()) {
            String known = Stream.concat(
                            Protocols.all().stream().map(Protocol::name),
                            Arrays.stream(Discipline.values()).map(Discipline::label))
                    .collect(Collectors.joining(", "));
            throw usage("There is no protocol or way of launching called '" + name + "'. There are: " + known
                    + "; and what --explain lists of each default one made weaker.");
        }
        Explorer.Outcome outcome = Explorer.explore(discipline.get());
        Report report = new Report(List.of(), List.of(outcome), List.of());
        print(json ? List.of(tree(report).toPrettyString()) : story(outcome));
        return report.asExpected() ? RIGHT : DIFFERS;
    }

    private int explain(Protocol protocol) {
        List<Verdict> verdicts = Judge.table(List.of(protocol));
        List<Weakening> weakenings = Protocols.defaults().contains(protocol) ? Weakening.of(protocol) : List.of();
        if (json) {
            ObjectNode root = tree(new Report(verdicts, List.of(), List.of()));
            ArrayNode nodes = root.putArray("weakenings");
            for (Weakening weakening : weakenings) {
                Optional<Verdict> verdict = weakening.verdict();
                ObjectNode node = nodes.addObject();
                node.put("name", weakening.protocol().name());
                node.put("caught", verdict.isPresent());
                node.put("broken", verdict.map(Verdict::broken).orElse(""));
                node.put(
                        "redundant",
                        Weakening.redundant().getOrDefault(weakening.protocol().name(), ""));
            }
            print(List.of(root.toPrettyString()));
        } else {
            List<String> lines = new ArrayList<>(Judge.explain(protocol));
            if (!weakenings.isEmpty()) {
                lines.add("");
                lines.addAll(Weakening.lines(protocol));
                lines.add("");
                lines.add("The counterexample of one of them: lockstep litmus --explain '"
                        + weakenings.getFirst().protocol().name() + "'");
            }
            print(lines);
        }
        return verdicts.stream().allMatch(Verdict::asExpected)
                        && weakenings.stream().allMatch(Weakening::asExpected)
                ? RIGHT
                : DIFFERS;
    }

    private static List<String> story(Explorer.Outcome outcome) {
        List<String> lines = new ArrayList<>();
        lines.add(outcome.discipline().label() + ": " + outcome.discipline().summary());
        lines.add("");
        lines.add(outcome.hangs() ? "It can hang:" : "It cannot hang.");
        outcome.hang().forEach(line -> lines.add("  " + line));
        lines.add(outcome.mixes() ? "It can hand one call's data to another:" : "It cannot mix up calls.");
        outcome.mixUp().forEach(line -> lines.add("  " + line));
        if (outcome.refuses()) {
            lines.add("It can end in an error:");
            outcome.refusal().forEach(line -> lines.add("  " + line));
        }
        return lines;
    }

    private List<FileVerdict> judgeFiles() {
        List<FileVerdict> verdicts = new ArrayList<>();
        for (Path file : files) {
            try {
                verdicts.add(FileJudge.judge(file.toString(), Files.readString(file)));
            } catch (NoSuchFileException e) {
                throw usage("There is no file " + file + ".");
            } catch (CharacterCodingException e) {
                throw usage("The file " + file + " is no text in UTF-8: expected a PTX litmus test.");
            } catch (IOException e) {
                throw usage("The file " + file + " cannot be read: " + e.getMessage() + ".");
            }
        }
        return verdicts;
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec().commandLine(), message);
    }

    private CommandSpec spec() {
        if (spec == null) {
            throw new IllegalStateException("The command was not started through picocli.");
        }
        return spec;
    }

    private void print(List<String> lines) {
        PrintWriter out = spec().commandLine().getOut();
        lines.forEach(out::println);
        out.flush();
    }

    private static ObjectNode tree(Report report) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("schema", 1);
        root.put("as_expected", report.asExpected());
        ArrayNode protocols = root.putArray("protocols");
        for (Verdict verdict : report.protocols()) {
            ObjectNode node = protocols.addObject();
            node.put("protocol", verdict.protocol());
            node.put("model", verdict.setting().model().label());
            node.put("placement", verdict.setting().placement().label());
            node.put("boundary", verdict.setting().boundary().label());
            node.put("devices", verdict.setting().devices());
            node.put("calls", verdict.setting().calls());
            node.put("verdict", verdict.found().name());
            node.put("expected", verdict.expected().name());
            node.put("grade", verdict.grade().name());
            node.put("broken", verdict.broken());
            node.put("milliseconds", verdict.milliseconds());
            ArrayNode lines = node.putArray("counterexample");
            verdict.counterexample().forEach(lines::add);
        }
        ArrayNode launches = root.putArray("launches");
        for (Explorer.Outcome outcome : report.launches()) {
            ObjectNode node = launches.addObject();
            node.put("name", outcome.discipline().label());
            node.put("hangs", outcome.hangs());
            node.put("mixes", outcome.mixes());
            node.put("refuses", outcome.refuses());
            node.put("as_expected", outcome.asExpected());
            ArrayNode hang = node.putArray("hang");
            outcome.hang().forEach(hang::add);
            ArrayNode mixUp = node.putArray("mix_up");
            outcome.mixUp().forEach(mixUp::add);
            ArrayNode refusal = node.putArray("refusal");
            outcome.refusal().forEach(refusal::add);
        }
        ArrayNode tests = root.putArray("files");
        for (FileVerdict file : report.files()) {
            ObjectNode node = tests.addObject();
            node.put("name", file.name());
            node.put("statement", file.statement());
            node.put("answer", file.answer().name());
            node.put("skipped", file.skipped());
            node.put("milliseconds", file.milliseconds());
        }
        return root;
    }
}
