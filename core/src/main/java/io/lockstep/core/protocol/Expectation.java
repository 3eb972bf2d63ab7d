package io.lockstep.core.protocol;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The verdict that a protocol is known to deserve. A checker that finds another one has found a fault: in the protocol,
 * in the model or in itself.
 *
 * @param usual the verdict wherever no special case holds
 * @param specials where it differs
 */
public record Expectation(Reachability usual, List<Special> specials) {
    /** One place where the verdict differs. */
    public record Special(Model model, Set<Placement> placements, Reachability verdict) {
        /** Keeps its own copy. */
        public Special {
            placements = Set.copyOf(placements);
        }
    }

    /** Keeps its own copy. */
    public Expectation {
        specials = List.copyOf(specials);
    }

    /** The same verdict everywhere. */
    public static Expectation everywhere(Reachability verdict) {
        return new Expectation(verdict, List.of());
    }

    /** This, but for one model in some placements. */
    public Expectation except(Model model, Set<Placement> placements, Reachability verdict) {
        List<Special> more = new ArrayList<>(specials);
        more.add(new Special(model, placements, verdict));
        return new Expectation(usual, more);
    }

    /** The expected verdict. */
    public Reachability of(Model model, Placement placement) {
        for (Special special : specials) {
            if (special.model() == model && special.placements().contains(placement)) {
                return special.verdict();
            }
        }
        return usual;
    }
}
