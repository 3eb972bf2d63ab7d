package io.lockstep.litmus.kodkod;

import io.lockstep.core.protocol.Model;
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

/** A memory model as relational logic over the events of one program. */
public abstract class InKodkod {
    /** What is being asked about. */
    final Program program;

    final Bounds bounds;
    /** What every execution satisfies. */
    final List<Formula> axioms = new ArrayList<>();

    private final TupleFactory factory;

    InKodkod(Program program) {
        this.program = program;
        List<String> atoms = new ArrayList<>();
        program.events().forEach(event -> atoms.add("e" + event.id()));
        Universe universe = new Universe(atoms);
        factory = universe.factory();
        bounds = new Bounds(universe);
    }

    /** The model of a name over one program. */
    public static InKodkod of(Model model, Program program) {
        return model == Model.PTX ? new PtxInKodkod(program) : new HappensBeforeInKodkod(model, program);
    }

    /** That some judged read returns another value than expected, or has none. */
    abstract Formula wrong();

    /** That two accesses conflict and nothing orders them. */
    abstract Formula races();

    /** That a read keeps returning the last write of its location. */
    abstract Formula stuck(Event read);

    /** Whether there is an execution at all. */
    public final boolean consistent() {
        return solve(Formula.TRUE);
    }

    /** Whether some execution gives a judged read another value than expected, or none. */
    public final boolean errs() {
        return solve(wrong());
    }

    /** Whether some execution gives a judged read another value than expected, or races. */
    public final boolean violates() {
        return solve(wrong().or(races()));
    }

    /** Whether a read can go on returning the last write of its location for ever. */
    public final boolean loses(int read) {
        return solve(stuck(program.event(read)));
    }

    private boolean solve(Formula goal) {
        Solver solver = new Solver();
        solver.options().setSolver(SATFactory.get("sat4j"));
        solver.options().setSymmetryBreaking(0);
        return solver.solve(Formula.and(axioms).and(goal), bounds).sat();
    }

    static Formula acyclic(Expression relation) {
        return relation.closure().intersection(Expression.IDEN).no();
    }

    static boolean inProgramOrder(Event a, Event b) {
        return a.kind() != Kind.INITIAL && a.thread() == b.thread() && a.id() < b.id();
    }

    static boolean sameLocation(Event a, Event b) {
        return a.isAccess() && b.isAccess() && a.location() == b.location();
    }

    /** Two accesses that meet, at least one of them a write, and not the two halves of one. */
    static boolean conflict(Event a, Event b) {
        return a.id() < b.id()
                && sameLocation(a, b)
                && a.kind() != Kind.INITIAL
                && (a.isWrite() || b.isWrite())
                && a.partner() != b.id();
    }

    final Expression atom(Event event) {
        return set("e" + event.id(), other -> other.id() == event.id());
    }

    final Expression set(String name, Predicate<Event> member) {
        TupleSet tuples = factory.noneOf(1);
        for (Event event : program.events()) {
            if (member.test(event)) {
                tuples.add(factory.tuple("e" + event.id()));
            }
        }
        Relation relation = Relation.unary(name);
        bounds.boundExactly(relation, tuples);
        return relation;
    }

    final Expression pairs(String name, BiPredicate<Event, Event> member) {
        Relation relation = Relation.binary(name);
        bounds.boundExactly(relation, tuples(member));
        return relation;
    }

    final TupleSet tuples(BiPredicate<Event, Event> member) {
        TupleSet tuples = factory.noneOf(2);
        for (Event a : program.events()) {
            for (Event b : program.events()) {
                if (member.test(a, b)) {
                    tuples.add(factory.tuple("e" + a.id(), "e" + b.id()));
                }
            }
        }
        return tuples;
    }
}
