package io.lockstep.cli.ranks;

import io.lockstep.cli.console.Json;
import io.lockstep.core.Communicator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** The rank's side of a {@link ProcessLink}. */
public final class RankServer {
    private static final JsonMapper TREES = JsonMapper.shared();

    private final PrintStream answers;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    private RankServer(PrintStream answers) {
        this.answers = answers;
    }

    /** Serves orders until the input ends, which ends this process: the parent wants it so, or is gone. */
    public static <O, R> int serve(Role<O, R> role, InputStream orders, PrintStream answers) {
        RankServer server = new RankServer(answers);
        // Read on a thread of its own: the input's end must end a rank that waits inside a call, too.
        Thread.ofPlatform().name("orders").daemon(true).start(() -> server.readOrders(orders));
        return server.work(role);
    }

    private void readOrders(InputStream orders) {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(orders, StandardCharsets.UTF_8))) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(line);
            }
        } catch (IOException broken) {
            // As good as its end.
        }
        Runtime.getRuntime().halt(0);
    }

    private <O, R> int work(Role<O, R> role) {
        int rank = 0;
        try {
            RankSetup setup = Json.read(lines.take(), RankSetup.class);
            rank = setup.rank();
            Pulse pulse = new Pulse(done -> say(new RankMessage(done, null, null)));
            try (Communicator communicator = Communicator.join(setup.spec());
                    Worker<O, R> worker = role.start().apply(communicator)) {
                while (true) {
                    O order = Json.read(lines.take(), role.orders());
                    say(new RankMessage(1, TREES.readTree(Json.line(worker.handle(order, pulse))), null));
                }
            }
        } catch (Throwable failure) {
            say(new RankMessage(0, null, RankFailure.of(rank, failure)));
            awaitEnd();
            return 1;
        }
    }

    private void say(@Nullable Object message) {
        answers.println(Json.line(message == null ? "" : message));
        answers.flush();
    }

    /** The parent has been told and ends this process; ending first would look like a death. */
    private static void awaitEnd() {
        try {
            Thread.sleep(java.time.Duration.ofSeconds(30));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
