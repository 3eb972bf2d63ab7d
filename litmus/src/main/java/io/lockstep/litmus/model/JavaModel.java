package io.lockstep.litmus.model;

import io.lockstep.core.protocol.Model;
import java.util.ArrayList;
import java.util.List;

/**
 * Java's access modes through a VarHandle: plain, opaque (here relaxed), and release and acquire, whose pairs make
 * happens-before. There are no scopes. A plain read may return any write that does not happen after it and that no
 * other write, ordered between the two, hides; so a race shows as a value, never as undefined behaviour.
 */
final class JavaModel implements MemoryModel {
    @Override
    public Model model() {
        return Model.JAVA;
    }

    @Override
    public Execution begin(Program program) {
        return new Run(program);
    }

    private static final class Run extends HappensBefore {
        Run(Program program) {
            super(program);
        }

        private Run(Run other) {
            super(other);
        }

        @Override
        public Execution copy() {
            return new Run(this);
        }

        @Override
        boolean inclusive(Event a, Event b) {
            return true;
        }

        @Override
        public List<Sight> sights(Event read) {
            List<Sight> found = new ArrayList<>();
            for (Event write : program().writes(read.location())) {
                if (read.accepts().contain(write.value()) && !happensBefore(read, write) && !hidden(write, read)) {
                    found.add(new Sight(write, true));
                }
            }
            return found;
        }

        private boolean hidden(Event write, Event read) {
            for (Event other : program().writes(read.location())) {
                if (other.id() != write.id() && happensBefore(write, other) && happensBefore(other, read)) {
                    return true;
                }
            }
            return false;
        }
    }
}
