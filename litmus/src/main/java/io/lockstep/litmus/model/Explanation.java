package io.lockstep.litmus.model;

import io.lockstep.core.protocol.Scope;
import io.lockstep.litmus.model.Event.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Tells a finding: what was read, what should have been, and the chain of events that ought to have ordered the two,
 * each link by its name, with the link that does not hold and why.
 *
 * @param kind how the promise is broken
 * @param read the access that shows it
 * @param outcome what happened, in a sentence
 * @param chain the links, from the first event on; empty if nothing even seems to order the two
 */
public record Explanation(Finding.Kind kind, String read, String outcome, List<Link> chain) {
    /** What a link of a chain is. */
    public enum Label {
        /** One thread does the one and then the other. */
        PROGRAM_ORDER,
        /** Two threads of a work-group meet. */
        BARRIER,
        /** A release that an acquire has read from. */
        SYNCHRONISES,
        /** The kernel ends, and the next one starts. */
        KERNEL_BOUNDARY,
        /** A value passes, and orders nothing. */
        BROKEN
    }

    /**
     * One link.
     *
     * @param label its name
     * @param why why it does not hold; empty if it does
     * @param from the event it leaves
     * @param to the event it reaches
     */
    public record Link(Label label, String why, String from, String to) {}

    /** Keeps its own copy. */
    public Explanation {
        chain = List.copyOf(chain);
    }

    /** The chain as lines of text. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(outcome);
        if (chain.isEmpty()) {
            lines.add(
                    kind == Finding.Kind.OTHER_ROUND
                            ? "    nothing tells that call's words from this one's"
                            : "    nothing orders the two");
            return lines;
        }
        lines.add("    " + chain.getFirst().from());
        for (Link link : chain) {
            String name = link.label().name().toLowerCase(Locale.ROOT).replace('_', ' ');
            String why = link.label() == Label.BROKEN ? "BROKEN: " + link.why() : name;
            lines.add("      --" + why + "--> " + link.to());
        }
        return lines;
    }

    /** Explains a finding. */
    public static Explanation of(Finding finding) {
        return new Teller(finding).tell();
    }

    private static final class Teller {
        private static final int NO_PATH = Integer.MAX_VALUE;

        private final Finding finding;
        private final Execution execution;
        private final Program program;

        Teller(Finding finding) {
            this.finding = finding;
            this.execution = finding.execution();
            this.program = execution.program();
        }

        Explanation tell() {
            Event read = finding.read();
            Event write = finding.write();
            String who = program.describe(read);
            return switch (finding.kind()) {
                case STALE, OTHER_ROUND -> {
                    String value = write == null ? "?" : Long.toString(write.value());
                    String from = write == null || write.kind() == Kind.INITIAL
                            ? "the initial value"
                            : program.describe(write);
                    String outcome =
                            who + " returns " + value + " (" + from + ") where " + read.expected() + " is promised";
                    yield explain(outcome, expected(read), read);
                }
                case OVERWRITTEN -> {
                    String from = write == null ? "?" : program.describe(write);
                    String outcome = who + " returns a later value (" + from + ") where " + read.expected()
                            + " is promised: the write should have waited for the read";
                    yield explain(outcome, read, write);
                }
                case UNDEFINED -> undefined(who, read);
                case LOST -> {
                    String from = write == null ? "?" : program.describe(write);
                    String outcome = who + " polls for ever: the last write of its word is " + from
                            + ", so the word that was sent is lost";
                    yield explain(outcome, write, lastSent(read));
                }
                case RACE -> {
                    String other = write == null ? "?" : program.describe(write);
                    yield explain(who + " and " + other + " race: nothing orders them", read, write);
                }
            };
        }

        private Explanation undefined(String who, Event read) {
            Event expected = expected(read);
            if (expected != null && execution.ordered(expected, read)) {
                for (Event write : program.writes(read.location())) {
                    if (write.kind() != Kind.INITIAL
                            && write.value() > read.expected()
                            && !execution.ordered(read, write)) {
                        return explain(
                                who + " may see " + program.describe(write)
                                        + ", which should have waited for it: the value is undefined",
                                read,
                                write);
                    }
                }
                return explain(
                        who + " is ordered after " + program.describe(expected)
                                + ", but the write is never made available and visible along that order",
                        expected,
                        read);
            }
            return explain(
                    who + " may see a write that is not ordered before it: the value is undefined", expected, read);
        }

        private @Nullable Event expected(Event read) {
            return program.writes(read.location()).stream()
                    .filter(write -> write.kind() != Kind.INITIAL && write.value() == read.expected())
                    .findFirst()
                    .orElse(null);
        }

        private @Nullable Event lastSent(Event read) {
            return program.writes(read.location()).stream()
                    .filter(write -> write.value() != 0)
                    .reduce((first, second) -> second)
                    .orElse(null);
        }

        private Explanation explain(String outcome, @Nullable Event from, @Nullable Event to) {
            List<Link> links = from == null || to == null ? List.of() : path(from, to);
            return new Explanation(finding.kind(), program.describe(finding.read()), outcome, links);
        }

        /** The cheapest path from one event to the other; a broken link costs more than any number of good ones. */
        private List<Link> path(Event from, Event to) {
            int size = program.events().size();
            int[] cost = new int[size];
            int[] previous = new int[size];
            boolean[] done = new boolean[size];
            Arrays.fill(cost, NO_PATH);
            Arrays.fill(previous, -1);
            cost[from.id()] = 0;
            while (true) {
                int nearest = -1;
                for (int i = 0; i < size; i++) {
                    if (!done[i] && cost[i] < NO_PATH && (nearest < 0 || cost[i] < cost[nearest])) {
                        nearest = i;
                    }
                }
                if (nearest < 0 || nearest == to.id()) {
                    break;
                }
                done[nearest] = true;
                for (Event next : program.events()) {
                    Link link = done[next.id()] ? null : link(program.event(nearest), next);
                    if (link != null) {
                        int more = cost[nearest] + (link.label() == Label.BROKEN ? 1000 : 2);
                        if (more < cost[next.id()]) {
                            cost[next.id()] = more;
                            previous[next.id()] = nearest;
                        }
                    }
                }
            }
            List<Link> links = new ArrayList<>();
            if (cost[to.id()] == NO_PATH) {
                return links;
            }
            for (int at = to.id(); at != from.id(); at = previous[at]) {
                Link link = link(program.event(previous[at]), program.event(at));
                if (link != null) {
                    links.addFirst(link);
                }
            }
            return links;
        }

        private @Nullable Link link(Event from, Event to) {
            Label label = null;
            String why = "";
            if (from.kind() == Kind.INITIAL || to.kind() == Kind.INITIAL) {
                return null;
            }
            if (program.programOrder().has(from.id(), to.id())) {
                label = Label.PROGRAM_ORDER;
            } else if (program.meets(from, to) || (program.meetsLocally(from, to) && execution.ordered(from, to))) {
                label = Label.BARRIER;
            } else if (program.crossesBoundary(from, to)) {
                label = Label.KERNEL_BOUNDARY;
            } else if (synchronises(from, to)) {
                label = Label.SYNCHRONISES;
            } else if (to.isRead() && to.isStrong() && execution.source(to.id()) == from.id()) {
                label = Label.BROKEN;
                why = broken(from, to);
            } else if (program.meetsLocally(from, to) && !execution.ordered(from, to)) {
                label = Label.BROKEN;
                why = "the threads meet, but a barrier of local memory only orders no global memory";
            }
            return label == null ? null : new Link(label, why, program.describe(from), program.describe(to));
        }

        /** Whether an acquire reads, itself or through a read before it, what a release stands before. */
        private boolean synchronises(Event release, Event acquire) {
            return release.releases()
                    && acquire.acquires()
                    && execution.reach(release, acquire)
                    && program.reads().stream().anyMatch(read -> {
                        Event write =
                                execution.source(read.id()) < 0 ? null : program.event(execution.source(read.id()));
                        return write != null
                                && execution.reach(write, read)
                                && execution.releases(write).contains(release)
                                && execution.acquires(read).contains(acquire);
                    });
        }

        private String broken(Event write, Event read) {
            boolean released = execution.releases(write).stream().anyMatch(release -> close(release, write));
            boolean acquired = execution.acquires(read).stream().anyMatch(acquire -> close(read, acquire));
            if (!program.inclusive(write, read)) {
                boolean loads = !program.includes(read.scope(), read, write);
                Event narrow = loads ? read : write;
                Event left = loads ? write : read;
                String relaxed = released || acquired ? "" : "the store is relaxed and so is the load, and ";
                return "the value passes, but " + relaxed + "scope " + scope(narrow.scope()) + " of the "
                        + (loads ? "load leaves out the writer" : "store leaves out the reader") + " on device "
                        + program.threads().get(left.thread()).device();
            }
            if (!released && !acquired) {
                return "the value passes, but the store is relaxed and so is the load";
            }
            if (!released) {
                return "the value passes, but the store is relaxed, and no release fence stands before it";
            }
            if (!acquired) {
                return execution.acquires(read).isEmpty()
                        ? "the value passes, but the load is relaxed, and no acquire fence stands after it"
                        : "the value passes, but the load is relaxed, and the acquire fence comes too late";
            }
            return "the value passes, but the scopes of the release and the acquire leave each other out";
        }

        /** Whether nothing that either should order stands between two events of a thread. */
        private boolean close(Event first, Event second) {
            return program.events().stream()
                    .noneMatch(event -> program.programOrder().has(first.id(), event.id())
                            && program.programOrder().has(event.id(), second.id())
                            && (event.kind() == Kind.BARRIER || (event.isAccess() && !event.isStrong())));
        }

        private static String scope(Scope scope) {
            return "." + scope.label();
        }
    }
}
