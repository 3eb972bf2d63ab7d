package io.lockstep.cli.verify;

import io.lockstep.cli.ranks.Pulse;
import io.lockstep.cli.ranks.Role;
import io.lockstep.cli.ranks.Worker;
import io.lockstep.cli.verify.VerifyOrder.Subject;
import io.lockstep.core.Communicator;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The rank's side of {@code verify}. */
public final class VerifyWorker implements Worker<VerifyOrder, VerifyReport> {
    /** What the parent starts. */
    public static final Role<VerifyOrder, VerifyReport> ROLE =
            new Role<>("verify", VerifyOrder.class, VerifyReport.class, VerifyWorker::new);

    private final Communicator communicator;
    private @Nullable Trial trial;

    private VerifyWorker(Communicator communicator) {
        this.communicator = communicator;
    }

    @Override
    public VerifyReport handle(VerifyOrder order, Pulse pulse) {
        return switch (order.kind()) {
            case PLAN -> {
                Subject subject = Objects.requireNonNull(order.subject());
                trial = Trial.of(communicator, subject);
                yield VerifyReport.nothing();
            }
            case RUN -> open().run(order.first(), order.count(), pulse);
            case SAVE -> {
                open().save(order.first(), Path.of(Objects.requireNonNull(order.path())));
                yield VerifyReport.nothing();
            }
            case RELEASE -> {
                close();
                yield VerifyReport.nothing();
            }
        };
    }

    private Trial open() {
        return Objects.requireNonNull(trial, "The first order plans.");
    }

    @Override
    public void close() {
        if (trial != null) {
            trial.close();
            trial = null;
        }
    }
}
