package io.lockstep.litmus.kodkod;

import io.lockstep.core.protocol.Order;
import io.lockstep.litmus.model.Event;
import io.lockstep.litmus.model.Event.Kind;
import io.lockstep.litmus.model.Program;
import kodkod.ast.Expression;
import kodkod.ast.Formula;
import kodkod.ast.Relation;

/** The PTX model as relational logic over the events of one program. */
final class PtxInKodkod extends InKodkod {
    private final Relation readsFrom = Relation.binary("rf");
    private final Relation coherence = Relation.binary("co");
    private final Relation fences = Relation.binary("fsc");
    private final Expression causality;

    /** The model over one program. */
    PtxInKodkod(Program program) {
        super(program);
        Expression morallyStrong = pairs("ms", (a, b) -> a.id() != b.id() && strongPair(a, b));
        Expression programOrder = pairs("po", InKodkod::inProgramOrder);
        Expression waits = pairs(
                "wait", (a, b) -> program.meets(a, b) || program.meetsLocally(a, b) || program.crossesBoundary(a, b));
        Expression modify = pairs("rmw", (a, b) -> a.isRead() && a.partner() == b.id());
        Expression depends = pairs("dep", (a, b) -> program.dependency().has(a.id(), b.id()));
        Expression release = pairs("release", this::releasePattern);
        Expression acquire = pairs("acquire", this::acquirePattern);
        Expression sameLocation = pairs("loc", InKodkod::sameLocation);
        Expression orderedFences = pairs("scf", (a, b) -> a.id() != b.id() && sc(a) && sc(b) && strongPair(a, b));
        Expression writes = set("W", event -> event.kind() == Kind.WRITE);

        bounds.bound(
                readsFrom,
                tuples((w, r) -> w.isWrite()
                        && r.isRead()
                        && sameLocation(w, r)
                        && r.accepts().contain(w.value())));
        bounds.bound(
                coherence,
                tuples((a, b) -> a.kind() == Kind.INITIAL && b.kind() == Kind.WRITE && sameLocation(a, b)),
                tuples((a, b) -> a.isWrite() && b.kind() == Kind.WRITE && a.id() != b.id() && sameLocation(a, b)));
        bounds.bound(fences, tuples((a, b) -> a.id() != b.id() && sc(a) && sc(b) && strongPair(a, b)));

        for (Event read : program.reads()) {
            axioms.add(readsFrom.join(atom(read)).one());
        }
        axioms.add(acyclic(coherence).and(coherence.join(coherence).in(coherence)));
        Expression strongWrites = morallyStrong
                .intersection(sameLocation)
                .intersection(pairs("WW", (a, b) -> a.isWrite() && b.isWrite()));
        axioms.add(strongWrites.in(coherence.union(coherence.transpose())));
        axioms.add(orderedFences.in(fences.union(fences.transpose())));

        Expression strongReadsFrom = readsFrom.intersection(morallyStrong);
        Expression observation = strongReadsFrom.union(
                strongReadsFrom.join(modify.join(strongReadsFrom).closure()));
        Expression synchronises =
                morallyStrong.intersection(release.join(observation).join(acquire));
        Expression base =
                programOrder.union(synchronises).union(fences).union(waits).closure();
        causality = base.union(observation.join(base));
        Expression fromRead = readsFrom.transpose().join(coherence);

        // Coherence, FenceSC, Atomicity, No-thin-air, SC-per-location, Causality.
        Expression writePairs = writes.product(writes).intersection(sameLocation);
        axioms.add(causality.intersection(writePairs).in(coherence));
        axioms.add(causality
                .intersection(Expression.IDEN)
                .intersection(pairs("FF", (a, b) -> sc(a) && sc(b)))
                .no());
        axioms.add(modify.intersection(fromRead.intersection(morallyStrong).join(coherence.intersection(morallyStrong)))
                .no());
        axioms.add(acyclic(readsFrom.union(depends)));
        Expression communication = readsFrom.union(coherence).union(fromRead).intersection(morallyStrong);
        axioms.add(acyclic(programOrder.intersection(sameLocation).union(communication)));
        axioms.add(readsFrom
                .union(fromRead)
                .join(causality)
                .intersection(Expression.IDEN)
                .no());
    }

    @Override
    Formula wrong() {
        Expression wrong =
                pairs("wrong", (w, r) -> w.isWrite() && r.isRead() && r.judged() && w.value() != r.expected());
        return readsFrom.intersection(wrong).some();
    }

    @Override
    Formula races() {
        Expression conflicts = pairs("conflict", (a, b) -> conflict(a, b) && !strongPair(a, b));
        return conflicts.difference(causality.union(causality.transpose())).some();
    }

    @Override
    Formula stuck(Event read) {
        return readsFrom.join(atom(read)).join(coherence).no();
    }

    private boolean strongPair(Event a, Event b) {
        if (a.kind() != Kind.INITIAL && a.thread() == b.thread()) {
            return true;
        }
        return a.order() != Order.WEAK && b.order() != Order.WEAK && program.inclusive(a, b);
    }

    private static boolean sc(Event event) {
        return event.kind() == Kind.FENCE && event.order() == Order.SEQUENTIALLY_CONSISTENT;
    }

    private boolean releasePattern(Event a, Event write) {
        if (write.kind() != Kind.WRITE
                || write.order() == Order.WEAK
                || !a.order().releases()) {
            return false;
        }
        return a.kind() == Kind.FENCE
                ? inProgramOrder(a, write)
                : a.kind() == Kind.WRITE
                        && sameLocation(a, write)
                        && (a.id() == write.id() || inProgramOrder(a, write));
    }

    private boolean acquirePattern(Event read, Event b) {
        if (!read.isRead() || read.order() == Order.WEAK || !b.order().acquires()) {
            return false;
        }
        return b.kind() == Kind.FENCE
                ? inProgramOrder(read, b)
                : b.isRead() && sameLocation(read, b) && (read.id() == b.id() || inProgramOrder(read, b));
    }
}
