package io.lockstep.litmus;

import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Protocols;
import io.lockstep.core.protocol.Reachability;
import io.lockstep.litmus.file.FileVerdict;
import io.lockstep.litmus.launch.Explorer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Everything that the command line tells of ordering: protocols, launch disciplines and litmus files.
 *
 * @param protocols the verdicts on protocols, one for each setting
 * @param launches what comes of each way of launching
 * @param files the verdicts on litmus files
 */
public record Report(List<Verdict> protocols, List<Explorer.Outcome> launches, List<FileVerdict> files) {
    private static final String DIFFERS = " (expected otherwise)";

    /** Keeps its own copies. */
    public Report {
        protocols = List.copyOf(protocols);
        launches = List.copyOf(launches);
        files = List.copyOf(files);
    }

    /** Judges every protocol and every launch discipline. */
    public static Report ofEverything() {
        return new Report(Judge.table(Protocols.all()), Explorer.exploreAll(), List.of());
    }

    /** A report of litmus files. */
    public static Report ofFiles(List<FileVerdict> files) {
        return new Report(List.of(), List.of(), files);
    }

    /** Whether every verdict is the expected one, and every file says what is so. */
    public boolean asExpected() {
        return protocols.stream().allMatch(Verdict::asExpected)
                && launches.stream().allMatch(Explorer.Outcome::asExpected)
                && files.stream().noneMatch(file -> file.answer() == FileVerdict.Answer.FAILS);
    }

    /** The report as aligned text. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        section(
                lines,
                Protocols.all().stream().filter(protocol -> !protocol.isCpu()).toList());
        section(lines, Protocols.all().stream().filter(Protocol::isCpu).toList());
        causes(lines);
        if (!launches.isEmpty()) {
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("launching two calls on two devices", "hangs", "mixes up calls", "ends in an error", ""));
            for (Explorer.Outcome outcome : launches) {
                rows.add(List.of(
                        outcome.discipline().label(),
                        outcome.hangs() ? "REACHABLE" : "FORBIDDEN",
                        outcome.mixes() ? "REACHABLE" : "FORBIDDEN",
                        outcome.refuses() ? "REACHABLE" : "-",
                        outcome.discipline().summary() + (outcome.asExpected() ? "" : DIFFERS)));
            }
            lines.addAll(Columns.align(rows));
        }
        if (!files.isEmpty()) {
            List<List<String>> rows = new ArrayList<>();
            rows.add(List.of("litmus test", "says", "answer", ""));
            for (FileVerdict file : files) {
                String note = file.skipped().isEmpty() ? "" : "not supported: " + file.skipped();
                rows.add(List.of(file.name(), file.statement(), file.answer().name(), note));
            }
            lines.addAll(Columns.align(rows));
        }
        return lines;
    }

    private void section(List<String> lines, List<Protocol> of) {
        Set<String> columns = new LinkedHashSet<>();
        for (Verdict verdict : protocols) {
            if (of.stream().anyMatch(protocol -> protocol.name().equals(verdict.protocol()))) {
                columns.add(verdict.setting().label());
            }
        }
        if (columns.isEmpty()) {
            return;
        }
        List<List<String>> rows = new ArrayList<>();
        List<String> head = new ArrayList<>(List.of("protocol"));
        head.addAll(columns);
        head.add("expect");
        head.add("what breaks");
        rows.add(head);
        for (Protocol protocol : of) {
            List<String> row = new ArrayList<>(List.of(protocol.name()));
            Set<String> broken = new LinkedHashSet<>();
            for (String column : columns) {
                row.add(protocols.stream()
                        .filter(verdict -> verdict.protocol().equals(protocol.name())
                                && verdict.setting().label().equals(column))
                        .findFirst()
                        .map(verdict -> {
                            if (verdict.found() == Reachability.REACHABLE) {
                                broken.add(verdict.broken()
                                        .substring(0, verdict.broken().indexOf(':')));
                            }
                            return verdict.found() + (verdict.asExpected() ? "" : DIFFERS);
                        })
                        .orElse("-"));
            }
            boolean interesting = protocols.stream()
                    .anyMatch(verdict ->
                            verdict.protocol().equals(protocol.name()) && verdict.grade() == Grade.INTERESTING);
            row.add((interesting ? Grade.INTERESTING : Grade.FORBIDDEN).name());
            row.add(String.join(", ", broken));
            rows.add(row);
        }
        lines.addAll(Columns.align(rows));
        lines.add("");
    }

    /** What the verdicts say of the three causes that were named for the wrong numbers of aiter's pull request 2890. */
    private void causes(List<String> lines) {
        List<Protocol> named = List.of(Protocols.relaxed(), Protocols.deviceAcquire(), Protocols.pollersAcquire());
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("cause named in pull request 2890", "PTX", "AMDGPU", ""));
        for (Protocol cause : named) {
            List<Verdict> verdicts = protocols.stream()
                    .filter(verdict -> verdict.protocol().equals(cause.name()))
                    .toList();
            if (verdicts.isEmpty()) {
                return;
            }
            rows.add(List.of(
                    rows.size() + ". " + cause.name(),
                    bug(verdicts, Model.PTX),
                    bug(verdicts, Model.AMDGPU),
                    why(verdicts, cause)));
        }
        lines.addAll(Columns.align(rows));
        lines.add("");
    }

    private static String bug(List<Verdict> verdicts, Model model) {
        return verdicts.stream()
                        .anyMatch(verdict ->
                                verdict.setting().model() == model && verdict.found() == Reachability.REACHABLE)
                ? "a bug"
                : "no bug";
    }

    /** The link that does not hold, in the checker's words; where all hold, what the protocol rests on. */
    private static String why(List<Verdict> verdicts, Protocol cause) {
        String broken = "BROKEN: ";
        return verdicts.stream()
                .flatMap(verdict -> verdict.counterexample().stream())
                .filter(line -> line.contains(broken))
                .map(line -> line.substring(line.indexOf(broken) + broken.length(), line.lastIndexOf("-->")))
                .findFirst()
                .orElse(cause.summary());
    }
}
