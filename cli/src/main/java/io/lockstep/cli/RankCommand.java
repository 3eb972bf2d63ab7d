package io.lockstep.cli;

import io.lockstep.cli.bench.BenchWorker;
import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.doctor.DoctorWorker;
import io.lockstep.cli.ranks.RankServer;
import io.lockstep.cli.ranks.Role;
import io.lockstep.cli.verify.VerifyWorker;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** A rank's process: started by the other commands, never by a person. */
@Command(name = "rank", hidden = true, description = "A rank that another command has started.")
final class RankCommand implements Callable<Integer> {
    private static final List<Role<?, ?>> ROLES = List.of(VerifyWorker.ROLE, BenchWorker.ROLE, DoctorWorker.ROLE);

    @Parameters(paramLabel = "ROLE")
    private String role = "";

    @Override
    public Integer call() {
        Role<?, ?> found = ROLES.stream()
                .filter(candidate -> candidate.name().equals(role))
                .findFirst()
                .orElseThrow(() -> CommandFailure.usage("There is no role '" + role + "' for a rank."));
        return RankServer.serve(found, System.in, System.out);
    }
}
