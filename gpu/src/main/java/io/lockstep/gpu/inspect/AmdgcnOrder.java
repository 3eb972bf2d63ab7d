package io.lockstep.gpu.inspect;

import io.lockstep.gpu.inspect.AmdgcnArch.Caches;
import io.lockstep.gpu.inspect.AmdgcnEffect.Kind;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The order of one kernel's accesses: what lies on the ways to a flag's store, and on those behind its poll.
 *
 * <p>A wave's way to a flag, as the protocol has it: its data is stored; the stores are waited for; the work-group
 * meets; the poller writes back, waits, and stores the flag. Behind the poll: its answer has come; the poller
 * invalidates; the work-group meets; every wave invalidates, and only then loads data.
 *
 * <p>A work-group of one wave meets wherever it is: the compiler leaves its barriers out, and the poller's invalidation
 * is all of the wave's. What is asked of it besides the barriers is the same.
 */
final class AmdgcnOrder {
    // Of the release, the most that holds on every way.
    private static final int UNRELEASED = 0;
    private static final int NARROW = 1;
    private static final int WRITTEN = 2;
    private static final int RELEASED = 3;

    // Of the accesses under way, on some way.
    private static final int LOADS = 1;
    private static final int STORES = 2;

    // Of the acquire, all that holds on some way.
    private static final int ASKED = 1;
    private static final int ANSWERED = 2;
    private static final int INVALIDATED_NARROWLY = 4;
    private static final int ACQUIRED_ALONE = 8;
    private static final int MET = 16;
    private static final int NOT_ACQUIRED = ASKED | ANSWERED | INVALIDATED_NARROWLY;

    private final AmdgcnArch arch;
    private final AmdgcnListing.Kernel kernel;
    private final boolean alone;
    private final List<AmdgcnInstruction> code;
    private final List<AmdgcnEffect> effects = new ArrayList<>();
    private final AmdgcnFlow flow;
    private final List<IsaFinding> findings = new ArrayList<>();

    /** The accesses that marks name, by mark. */
    private final Map<String, BitSet> marked = new TreeMap<>();

    /** @param alone whether a work-group is one wave */
    AmdgcnOrder(AmdgcnArch arch, AmdgcnListing.Kernel kernel, boolean alone) {
        this.arch = arch;
        this.kernel = kernel;
        this.alone = alone;
        code = kernel.instructions();
        for (int i = 0; i < code.size(); i++) {
            effects.add(AmdgcnEffect.of(arch, code, i));
        }
        flow = new AmdgcnFlow(kernel, effects);
    }

    List<AmdgcnEffect> effects() {
        return effects;
    }

    AmdgcnFlow flow() {
        return flow;
    }

    List<IsaFinding> findings(Demand demand) {
        findMarked();
        List<String> flags = new ArrayList<>(demand.flags());
        flags.add(Demand.REARMED);
        for (String flag : flags) {
            requireStep("store." + flag);
            requireStep("await." + flag);
        }
        if (demand.words()) {
            requireStep("send");
            requireStep("receive");
        }
        release();
        if (!alone) {
            meeting();
            drain();
        }
        acquire();
        return findings;
    }

    private void find(AmdgcnRule rule, int index, String text) {
        IsaFinding finding = new IsaFinding(rule, kernel.name(), code.get(index).line(), text);
        if (!findings.contains(finding)) {
            findings.add(finding);
        }
    }

    // ---- The marked accesses themselves ----

    private void findMarked() {
        for (int i = 0; i < code.size(); i++) {
            for (String mark : code.get(i).marks()) {
                Kind kind = mark.startsWith("store.") || mark.equals("send") ? Kind.STORE : Kind.LOAD;
                boolean words = mark.equals("send") || mark.equals("receive");
                int at = access(mark, i, kind, words);
                if (at < 0) {
                    find(
                            AmdgcnRule.MISSING_STEP,
                            i,
                            "behind the mark '" + mark + "' no " + kind.name().toLowerCase(Locale.ROOT) + " follows.");
                } else {
                    marked.computeIfAbsent(mark, key -> new BitSet()).set(at);
                }
            }
        }
    }

    /** The access behind a mark, all of its parts judged; negative if there is none. */
    private int access(String mark, int from, Kind kind, boolean words) {
        int wanted = words ? 16 : 4;
        int first = -1;
        int at = from - 1;
        for (int steps = 0; steps < code.size() && wanted > 0; steps++) {
            // A block may end between the mark and its access, which several marks may have in common.
            at = steps > 0 && effects.get(at).kind() == Kind.JUMP ? target(at) : at + 1;
            if (at >= code.size()) {
                break;
            }
            AmdgcnEffect effect = effects.get(at);
            if (effect.kind() == Kind.BARRIER || effect.kind() == Kind.END) {
                break;
            }
            if (effect.kind() != kind) {
                continue;
            }
            if (first < 0) {
                first = at;
            }
            wanted -= effect.bytes();
            if (!effect.system()) {
                AmdgcnRule rule =
                        words ? AmdgcnRule.WORDS : kind == Kind.STORE ? AmdgcnRule.FLAG_STORE : AmdgcnRule.POLL;
                find(rule, at, "'" + code.get(at) + "' of '" + mark + "' is not of system scope.");
            }
        }
        return wanted > 0 ? -1 : first;
    }

    private int target(int jump) {
        int[] next = flow.next(jump);
        return next.length == 0 ? code.size() : next[0];
    }

    private void requireStep(String mark) {
        if (!marked.containsKey(mark)) {
            findings.add(new IsaFinding(
                    AmdgcnRule.MISSING_STEP, kernel.name(), 0, "the protocol has '" + mark + "', the code does not."));
        }
    }

    private BitSet flags(String prefix, boolean grouped) {
        BitSet all = new BitSet();
        marked.forEach((mark, places) -> {
            if (mark.startsWith(prefix) && !(grouped && mark.endsWith(Demand.REARMED))) {
                all.or(places);
            }
        });
        return all;
    }

    // ---- Release ----

    private void release() {
        BitSet stores = flags("store.", false);
        boolean through = arch.caches() == Caches.GFX11;
        int[] released = flow.solve(UNRELEASED, Math::min, (index, before) -> {
            AmdgcnEffect effect = effects.get(index);
            return switch (effect.kind()) {
                case WRITE_BACK -> effect.system() ? WRITTEN : NARROW;
                case WAIT -> afterWait(effect, before);
                // A write-back from before the others came knows nothing of their stores. Where nothing is written
                // back,
                // the wait ahead of the barrier would do; but one behind it is all that a release leaves in the code,
                // and
                // so the only sign that there is one.
                case BARRIER -> UNRELEASED;
                case STORE, ATOMIC -> stores.get(index) ? before : UNRELEASED;
                default -> before;
            };
        });
        stores.stream().filter(at -> released[at] != AmdgcnFlow.NOWHERE).forEach(at -> {
            switch (released[at]) {
                case UNRELEASED ->
                    find(
                            through ? AmdgcnRule.WRITE_BACK_WAIT : AmdgcnRule.WRITE_BACK,
                            at,
                            through
                                    ? "on a way to the flag's store the stores before it are not waited for."
                                    : "on a way to the flag's store nothing is written back.");
                case NARROW ->
                    find(
                            AmdgcnRule.WRITE_BACK_SCOPE,
                            at,
                            "the write-back before the flag's store is not the system's.");
                case WRITTEN ->
                    find(
                            AmdgcnRule.WRITE_BACK_WAIT,
                            at,
                            "on a way to the flag's store its write-back is not waited for.");
                default -> {}
            }
        });
    }

    private void meeting() {
        BitSet stores = flags("store.", false);
        BitSet grouped = flags("store.", true);
        int[] met = flow.solve(
                0, Math::min, (index, before) -> switch (effects.get(index).kind()) {
                    case BARRIER -> 1;
                    case STORE, ATOMIC -> stores.get(index) ? before : 0;
                    default -> before;
                });
        grouped.stream()
                .filter(at -> met[at] == 0)
                .forEach(at -> find(
                        AmdgcnRule.BARRIER_BEFORE_FLAG,
                        at,
                        "on a way from a store to the flag's the work-group does not meet."));
    }

    private int afterWait(AmdgcnEffect wait, int before) {
        if (!wait.waitsForStores()) {
            return before;
        }
        // Where stores go through to memory, waiting for them is all of a release.
        return before == WRITTEN || arch.caches() == Caches.GFX11 ? RELEASED : before;
    }

    private void drain() {
        BitSet before = flow.barriersNextTo(flags("store.", true), false);
        int[] underWay = flow.solve(0, (a, b) -> a | b, (index, known) -> {
            AmdgcnEffect effect = effects.get(index);
            return switch (effect.kind()) {
                case LOAD -> known | LOADS;
                case STORE -> known | STORES;
                case ATOMIC -> known | LOADS | STORES;
                case WAIT -> known & ~(effect.waitsForLoads() ? LOADS : 0) & ~(effect.waitsForStores() ? STORES : 0);
                default -> known;
            };
        });
        before.stream()
                .filter(at -> underWay[at] > 0)
                .forEach(at -> find(
                        AmdgcnRule.DRAIN,
                        at,
                        "a wave comes to the barrier ahead of a flag with "
                                + (underWay[at] == LOADS ? "loads" : "stores") + " under way."));
    }

    // ---- Acquire ----

    private void acquire() {
        rearmed();
        BitSet polls = flags("await.", true);
        BitSet behind = flow.barriersNextTo(polls, true);
        AmdgcnFlow.Step step = (index, before) -> afterAcquireStep(index, before, polls, behind);
        int[] known = flow.solve(0, (a, b) -> a | b, step, (from, to) -> !skipsInvalidation(from, to, polls));
        // Between two polls a poller looks at the clock and at words that end its wait: no data.
        BitSet polling = flow.leadingTo(polls, flags("store.", false));
        polling.or(polls);
        for (int at = 0; at < code.size(); at++) {
            if (known[at] > 0) {
                judgeAcquire(at, known[at], polling);
            }
        }
    }

    /**
     * Whether a branch leaves out the pollers' invalidation and nothing else of the protocol. A wave whose poller has
     * polled does not take it: what pollers do hangs on one condition everywhere, {@code LS_POLLERS}.
     */
    private boolean skipsInvalidation(int from, int to, BitSet polls) {
        if (effects.get(from).kind() != Kind.BRANCH || to <= from + 1) {
            return false;
        }
        int poll = polls.nextSetBit(from);
        boolean polled = poll >= 0 && poll < to;
        List<AmdgcnEffect> skipped = effects.subList(from, to);
        return !polled
                && skipped.stream().anyMatch(effect -> effect.kind() == Kind.INVALIDATE)
                && skipped.stream().noneMatch(effect -> effect.kind() == Kind.BARRIER);
    }

    /**
     * The block that keeps the books polls on its own. Its code may be joined with that of the others, so that not
     * every way that is drawn is one that it takes: behind the poll one way must lead to an invalidation.
     */
    private void rearmed() {
        BitSet polls = marked.getOrDefault("await." + Demand.REARMED, new BitSet());
        polls.stream()
                .filter(poll -> flow.leadingFrom(poll).stream().noneMatch(at -> {
                    AmdgcnEffect effect = effects.get(at);
                    return effect.kind() == Kind.INVALIDATE && effect.system();
                }))
                .forEach(poll -> find(
                        AmdgcnRule.INVALIDATE,
                        poll,
                        "behind this poll no invalidation of the system's scope follows."));
    }

    private int afterAcquireStep(int index, int before, BitSet polls, BitSet behind) {
        AmdgcnEffect effect = effects.get(index);
        if (polls.get(index)) {
            return ASKED;
        }
        return switch (effect.kind()) {
            case WAIT -> effect.waitsForLoads() && (before & ASKED) != 0 ? (before & ~ASKED) | ANSWERED : before;
            case INVALIDATE -> {
                if (effect.system()) {
                    boolean byPoller = (before & NOT_ACQUIRED) != 0;
                    int kept = before & ~NOT_ACQUIRED & ~MET;
                    yield byPoller && !alone ? kept | ACQUIRED_ALONE : kept;
                }
                yield (before & ANSWERED) != 0 ? (before & ~ANSWERED) | INVALIDATED_NARROWLY : before;
            }
            case BARRIER -> behind.get(index) ? MET : 0;
            default -> before;
        };
    }

    private void judgeAcquire(int at, int known, BitSet polling) {
        AmdgcnEffect effect = effects.get(at);
        switch (effect.kind()) {
            case INVALIDATE -> {
                if (effect.system() && (known & ASKED) != 0) {
                    find(AmdgcnRule.POLL_WAIT, at, "the caches are invalidated before the poll has come back.");
                }
            }
            case BARRIER, END -> {
                judgeInvalidation(at, known);
                if ((known & ACQUIRED_ALONE) != 0 && effect.kind() == Kind.END) {
                    find(AmdgcnRule.BARRIER_AFTER_POLL, at, "behind the poll the work-group does not meet.");
                }
                // A kernel that ends loads nothing more.
                if ((known & MET) != 0 && effect.kind() == Kind.BARRIER) {
                    find(AmdgcnRule.INVALIDATE_BY_ALL, at, "behind the barrier a wave does not invalidate its caches.");
                }
            }
            case LOAD, SCALAR_LOAD -> {
                if (alone && !polling.get(at)) {
                    judgeInvalidation(at, known);
                }
                if ((known & ACQUIRED_ALONE) != 0 && !polling.get(at)) {
                    find(
                            AmdgcnRule.BARRIER_AFTER_POLL,
                            at,
                            "data is loaded behind the poll before the work-group has met.");
                }
                if ((known & MET) != 0) {
                    find(
                            AmdgcnRule.INVALIDATE_BY_ALL,
                            at,
                            "data is loaded behind the barrier from caches that are not invalidated.");
                }
            }
            default -> {}
        }
    }

    private void judgeInvalidation(int at, int known) {
        if ((known & (ASKED | ANSWERED)) != 0) {
            find(AmdgcnRule.INVALIDATE, at, "a poller comes here without having invalidated its caches.");
        }
        if ((known & INVALIDATED_NARROWLY) != 0) {
            find(AmdgcnRule.INVALIDATE_SCOPE, at, "a poller comes here with an invalidation that is not the system's.");
        }
    }
}
