package io.lockstep.litmus.kodkod;

import io.lockstep.core.protocol.Order;
import io.lockstep.litmus.model.Event;
import io.lockstep.litmus.model.Event.Kind;
import io.lockstep.litmus.model.Program;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Predicate;
import kodkod.ast.Expression;
import kodkod.ast.Formula;
import kodkod.ast.Relation;
import kodkod.engine.Solver;
import kodkod.engine.satlab.SATFactory;
import kodkod.instance.Bounds;
import kodkod.instance.TupleFactory;
import kodkod.instance.TupleSet;
import kodkod.instance.Universe;

/** The PTX model as relational logic over the events of one program. */
public final class PtxInKodkod {
    private final Program program;
    private final List<Event> events;
    private final TupleFactory factory;
    private final Bounds bounds;
    private final Relation readsFrom = Relation.binary("rf");
    private final Relation coherence = Relation.binary("co");
    private final Relation fences = Relation.binary("fsc");
    private final List<Formula> axioms = new ArrayList<>();
    private final Expression causality;
    private final Expression morallyStrong;

    /** The model over one program. */
    public PtxInKodkod(Program program) {
        this.program = program;
        this.events = program.events();
        List<String> atoms = new ArrayList<>();
        events.forEach(event -> atoms.add("e" + event.id()));
        Universe universe = new Universe(atoms);
        factory = universe.factory();
        bounds = new Bounds(universe);

        morallyStrong = pairs("ms", (a, b) -> a.id() != b.id() && strongPair(a, b));
        Expression programOrder = pairs("po", this::inProgramOrder);
        Expression waits = pairs(
                "wait", (a, b) -> program.meets(a, b) || program.meetsLocally(a, b) || program.crossesBoundary(a, b));
        Expression modify = pairs("rmw", (a, b) -> a.isRead() && a.partner() == b.id());
        Expression depends = pairs("dep", (a, b) -> program.dependency().has(a.id(), b.id()));
        Expression release = pairs("release", this::releasePattern);
        Expression acquire = pairs("acquire", this::acquirePattern);
        Expression sameLocation = pairs("loc", PtxInKodkod::sameLocation);
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

    /** Whether there is an execution at all. */
    public boolean consistent() {
        return solve(Formula.TRUE);
    }

    /** Whether some execution gives a judged read another value than expected, or races. */
    public boolean violates() {
        Expression wrong =
                pairs("wrong", (w, r) -> w.isWrite() && r.isRead() && r.judged() && w.value() != r.expected());
        Expression conflicts = pairs(
                "conflict",
                (a, b) -> a.id() < b.id()
                        && sameLocation(a, b)
                        && a.kind() != Kind.INITIAL
                        && b.kind() != Kind.INITIAL
                        && (a.isWrite() || b.isWrite())
                        && !strongPair(a, b));
        Formula race =
                conflicts.difference(causality.union(causality.transpose())).some();
        return solve(readsFrom.intersection(wrong).some().or(race));
    }

    /** Whether a read can go on returning the last write of its location for ever. */
    public boolean loses(int read) {
        return solve(readsFrom.join(atom(program.event(read))).join(coherence).no());
    }

    private boolean solve(Formula goal) {
        Solver solver = new Solver();
        solver.options().setSolver(SATFactory.get("sat4j"));
        solver.options().setSymmetryBreaking(0);
        return solver.solve(Formula.and(axioms).and(goal), bounds).sat();
    }

    private static Formula acyclic(Expression relation) {
        return relation.closure().intersection(Expression.IDEN).no();
    }

    private boolean inProgramOrder(Event a, Event b) {
        return a.kind() != Kind.INITIAL && a.thread() == b.thread() && a.id() < b.id();
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

    private static boolean sameLocation(Event a, Event b) {
        return a.isAccess() && b.isAccess() && a.location() == b.location();
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

    private Expression atom(Event event) {
        return set("e" + event.id(), other -> other.id() == event.id());
    }

    private Expression set(String name, Predicate<Event> member) {
        TupleSet tuples = factory.noneOf(1);
        for (Event event : events) {
            if (member.test(event)) {
                tuples.add(factory.tuple("e" + event.id()));
            }
        }
        Relation relation = Relation.unary(name);
        bounds.boundExactly(relation, tuples);
        return relation;
    }

    private Expression pairs(String name, BiPredicate<Event, Event> member) {
        Relation relation = Relation.binary(name);
        bounds.boundExactly(relation, tuples(member));
        return relation;
    }

    private TupleSet tuples(BiPredicate<Event, Event> member) {
        TupleSet tuples = factory.noneOf(2);
        for (Event a : events) {
            for (Event b : events) {
                if (member.test(a, b)) {
                    tuples.add(factory.tuple("e" + a.id(), "e" + b.id()));
                }
            }
        }
        return tuples;
    }
}
