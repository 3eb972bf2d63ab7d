package io.lockstep.litmus.kodkod;

import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Order;
import io.lockstep.core.protocol.Scope;
import io.lockstep.litmus.model.Event;
import io.lockstep.litmus.model.Event.Kind;
import io.lockstep.litmus.model.Program;
import java.util.ArrayList;
import java.util.List;
import kodkod.ast.Expression;
import kodkod.ast.Formula;
import kodkod.ast.Relation;

/**
 * Java's access modes and LLVM's model for AMD GPUs as relational logic: what both share, and what a plain read sees.
 */
final class HappensBeforeInKodkod extends InKodkod {
    private final Model model;
    private final Relation readsFrom = Relation.binary("rf");
    private final Relation modification = Relation.binary("mo");
    private final Expression happensBefore;
    /** Write to plain read: what the read may see. */
    private final Expression seen;
    /** AMDGPU: write to access, location order. Java: happens-before. */
    private final Expression located;

    HappensBeforeInKodkod(Model model, Program program) {
        super(program);
        this.model = model;
        Expression modify = pairs("rmw", (a, b) -> a.isRead() && a.partner() == b.id());
        Expression inclusive = pairs("incl", this::inclusive);

        bounds.bound(
                readsFrom,
                tuples((w, r) -> w.isWrite()
                        && r.isRead()
                        && strong(r)
                        && sameLocation(w, r)
                        && r.accepts().contain(w.value())));
        bounds.bound(
                modification,
                tuples((a, b) -> a.kind() == Kind.INITIAL && b.kind() == Kind.WRITE && sameLocation(a, b)),
                tuples((a, b) -> a.isWrite() && b.kind() == Kind.WRITE && a.id() != b.id() && sameLocation(a, b)));
        for (Event read : program.reads()) {
            if (strong(read)) {
                axioms.add(readsFrom.join(atom(read)).one());
            }
        }

        // Synchronizes-with: a release pattern, the release sequence, an acquire pattern, with inclusive scopes.
        Expression reaching =
                readsFrom.intersection(inclusive).intersection(pairs("ss", (a, b) -> strong(a) && strong(b)));
        Expression observed = reaching.union(reaching.join(modify.join(reaching).closure()));
        Expression synchronises = inclusive.intersection(pairs("release", HappensBeforeInKodkod::releasePattern)
                .join(observed)
                .join(pairs("acquire", HappensBeforeInKodkod::acquirePattern)));
        happensBefore = pairs("po", InKodkod::inProgramOrder)
                .union(pairs("wait", (a, b) -> program.meets(a, b) || program.crossesBoundary(a, b)))
                .union(synchronises)
                .closure()
                .union(pairs("first", (a, b) -> a.kind() == Kind.INITIAL && b.kind() != Kind.INITIAL));

        // Happens-before contradicts itself nowhere but among barriers, which wait for each other.
        axioms.add(happensBefore
                .intersection(Expression.IDEN)
                .intersection(pairs("access", (a, b) -> a.isAccess() && b.isAccess()))
                .no());
        coherence(modify);
        axioms.add(acyclic(readsFrom.union(
                pairs("dep", (a, b) -> program.dependency().has(a.id(), b.id())))));

        located = model == Model.JAVA ? happensBefore : locationOrder();
        Expression writesToReads = pairs(
                "wr",
                (w, r) -> w.isWrite()
                        && r.isRead()
                        && !strong(r)
                        && sameLocation(w, r)
                        && (model != Model.JAVA || r.accepts().contain(w.value())));
        Expression between = located.intersection(
                        pairs("ww", (a, b) -> a.isWrite() && b.isWrite() && sameLocation(a, b)))
                .join(located.intersection(pairs("wa", (a, b) -> a.isWrite() && b.isRead() && sameLocation(a, b))));
        seen = writesToReads.difference(happensBefore.transpose()).difference(between);
        for (Event read : program.reads()) {
            if (!strong(read)) {
                axioms.add(seen.join(atom(read)).some());
            }
        }
    }

    /** One modification order for each location, total among atomics, that happens-before and reads agree with. */
    private void coherence(Expression modify) {
        axioms.add(acyclic(modification).and(modification.join(modification).in(modification)));
        Expression atomicWrites = pairs(
                "aw",
                (a, b) ->
                        a.id() != b.id() && a.isWrite() && b.isWrite() && strong(a) && strong(b) && sameLocation(a, b));
        axioms.add(atomicWrites.in(modification.union(modification.transpose())));
        Expression atomics = happensBefore.intersection(
                pairs("aa", (a, b) -> a.id() != b.id() && strong(a) && strong(b) && sameLocation(a, b)));
        // From each atomic access to the write that it is or reads.
        Expression writes = set("W", Event::isWrite);
        Expression itself = Expression.IDEN.intersection(writes.product(writes));
        Expression source = readsFrom.transpose().union(itself);
        Expression forced = source.transpose().join(atomics).join(source).difference(Expression.IDEN);
        axioms.add(forced.in(modification));
        // No read returns what comes after it, nor what another write comes after and before it.
        axioms.add(readsFrom.intersection(happensBefore.transpose()).no());
        Expression between = happensBefore
                .intersection(pairs("ww", (a, b) -> a.isWrite() && b.isWrite() && sameLocation(a, b)))
                .join(happensBefore.intersection(
                        pairs("wr", (a, b) -> a.isWrite() && b.isRead() && sameLocation(a, b))));
        axioms.add(readsFrom.intersection(between).no());
        // Nothing comes between the two halves of a read-modify-write.
        Expression observedThenOwn = readsFrom.join(modify);
        axioms.add(observedThenOwn.in(modification));
        axioms.add(observedThenOwn.intersection(modification.join(modification)).no());
    }

    /**
     * AMDGPU: a write is made available outwards, made visible inwards, and so comes before an access in its location.
     */
    private Expression locationOrder() {
        Expression order = pairs(
                "lo0", (w, a) -> w.isWrite() && a.id() != w.id() && (w.kind() == Kind.INITIAL || inProgramOrder(w, a)));
        Expression programOrder = pairs("po", InKodkod::inProgramOrder);
        Expression reachesAccess = pairs("ia", (a, b) -> program.includes(a.scope(), a, b));
        Expression writes = set("W", Event::isWrite);
        for (Event write : program.events()) {
            // Only plain reads ask for it.
            if (write.kind() != Kind.WRITE
                    || program.accesses(write.location()).stream()
                            .allMatch(access -> access.isWrite() || strong(access))) {
                continue;
            }
            String of = String.valueOf(write.id());
            Expression outward = happensBefore.intersection(pairs(
                    "out" + of,
                    (link, event) -> makesAvailable(event)
                            && program.includes(link.scope(), link, event)
                            && program.includes(event.scope(), event, write)));
            Expression available = set(
                            "av" + of,
                            event -> (event.id() == write.id() && strong(write))
                                    || (makesAvailable(event) && inProgramOrder(write, event)))
                    .join(outward.reflexiveClosure());
            Expression visible = visible(write, available);
            Expression nearer = visible.union(visible.join(programOrder)).difference(writes);
            Expression further =
                    available.join(happensBefore.intersection(reachesAccess)).intersection(writes);
            order = order.union(atom(write).product(nearer.union(further)));
        }
        return order;
    }

    /** The operations that make a write visible, scope by scope from the widest: a chain of them only narrows. */
    private Expression visible(Event write, Expression available) {
        Expression visible = Expression.NONE;
        for (Scope scope : List.of(Scope.SYSTEM, Scope.DEVICE, Scope.WORKGROUP)) {
            String of = scope.label() + write.id();
            Expression first = happensBefore.intersection(pairs(
                    "first" + of,
                    (link, event) -> inward(event, write)
                            && program.inclusive(link, event)
                            && atLeast(link.scope(), scope)
                            && atLeast(event.scope(), scope)));
            Expression next = happensBefore.intersection(pairs(
                    "next" + of,
                    (link, event) -> inward(event, write)
                            && atLeast(event.scope(), scope)
                            && program.includes(scope, link, event)
                            && program.includes(event.scope(), event, link)));
            visible = visible.union(available.join(first)).join(next.reflexiveClosure());
        }
        return visible;
    }

    private static boolean atLeast(Scope scope, Scope least) {
        return scope.compareTo(least) >= 0;
    }

    private static boolean inward(Event event, Event write) {
        boolean operation = event.acquires() || event.kind() == Kind.BARRIER || event.kind() == Kind.KERNEL_START;
        boolean load = event.isRead() && strong(event) && event.location() == write.location();
        return load || (operation && event.makesAvailable());
    }

    private static boolean makesAvailable(Event event) {
        boolean operation = event.releases() || event.kind() == Kind.BARRIER || event.kind() == Kind.KERNEL_END;
        return operation && event.makesAvailable();
    }

    @Override
    Formula wrong() {
        List<Formula> ways = new ArrayList<>();
        for (Event read : program.reads()) {
            if (!read.judged()) {
                continue;
            }
            Expression expected =
                    set("right" + read.id(), write -> write.isWrite() && write.value() == read.expected());
            if (strong(read)) {
                ways.add(readsFrom.join(atom(read)).in(expected).not());
            } else if (model == Model.JAVA) {
                ways.add(seen.join(atom(read)).in(expected).not());
            } else {
                // More than one value, or one that is not located before the read: undefined.
                Expression values = seen.join(atom(read));
                ways.add(values.one()
                        .and(values.in(expected.intersection(located.join(atom(read)))))
                        .not());
            }
        }
        return Formula.or(ways);
    }

    @Override
    Formula races() {
        Expression conflicts =
                pairs("conflict", (a, b) -> conflict(a, b) && !(strong(a) && strong(b) && inclusive(a, b)));
        return conflicts
                .difference(happensBefore.union(happensBefore.transpose()))
                .some();
    }

    @Override
    Formula stuck(Event read) {
        return readsFrom.join(atom(read)).join(modification).no();
    }

    private static boolean strong(Event event) {
        return event.order() != Order.WEAK;
    }

    private boolean inclusive(Event a, Event b) {
        return model == Model.JAVA || program.inclusive(a, b);
    }

    private static boolean releasePattern(Event a, Event write) {
        return write.kind() == Kind.WRITE
                && strong(write)
                && a.releases()
                && (a.kind() == Kind.FENCE ? inProgramOrder(a, write) : a.id() == write.id());
    }

    private static boolean acquirePattern(Event read, Event b) {
        return read.isRead()
                && strong(read)
                && b.acquires()
                && (b.kind() == Kind.FENCE ? inProgramOrder(read, b) : b.id() == read.id());
    }
}
