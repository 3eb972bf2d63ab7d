package io.lockstep.cli;

import io.lockstep.cli.console.Console;
import io.lockstep.cli.console.ExitStatus;
import io.lockstep.cli.console.Json;
import io.lockstep.cli.console.Table;
import io.lockstep.cli.doctor.Doctor;
import io.lockstep.cli.doctor.Finding;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lockstep doctor}. */
@Command(
        name = "doctor",
        description = {
            "Say what this machine can do, and why not where it cannot.",
            "",
            "Looks at Java, cores, memory, vectors and backends, and lets two ranks meet and exchange something. Exit "
                    + "code 3 if something that Lockstep needs is missing."
        })
final class DoctorCommand implements Callable<Integer> {
    private final Console console;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the findings as JSON; - is the output.")
    private @Nullable Path json;

    /** What {@code --json} holds. */
    record Findings(int schema, String command, String version, boolean ready, List<Line> findings) {}

    /** A finding in a file. */
    record Line(String subject, String state, String detail) {}

    DoctorCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() {
        List<Finding> findings = Doctor.examine();
        boolean ready = findings.stream().noneMatch(finding -> finding.state() == Finding.State.MISSING);
        if (json == null || !json.toString().equals("-")) {
            print(findings, ready);
        }
        if (json != null) {
            List<Line> lines = findings.stream()
                    .map(finding -> new Line(finding.subject(), finding.state().label(), finding.detail()))
                    .toList();
            Json.write(new Findings(Json.SCHEMA, "doctor", CommandLines.Version.text(), ready, lines), json, console);
        }
        return ready ? ExitStatus.RIGHT : ExitStatus.CANNOT_RUN;
    }

    private void print(List<Finding> findings, boolean ready) {
        Table table = new Table().left("").left("").left("");
        for (Finding finding : findings) {
            table.row(List.of(finding.subject(), state(finding.state()), finding.detail()));
        }
        console.out().print(table.render().stripLeading());
        console.out().println();
        console.out()
                .println(
                        ready
                                ? "Lockstep can run here. Next: 'lockstep verify'."
                                : "Something that Lockstep needs is missing: see the lines marked 'missing'.");
        console.out().flush();
    }

    private String state(Finding.State state) {
        return switch (state) {
            case OK -> console.good(state.label());
            case WARNING -> state.label();
            case MISSING -> console.bad(state.label());
        };
    }
}
