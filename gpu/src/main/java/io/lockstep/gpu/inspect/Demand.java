package io.lockstep.gpu.inspect;

import io.lockstep.core.protocol.Buffer;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Role;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the protocol of an algorithm demands of its kernel.
 *
 * @param flags those of the barriers between devices, in order, as marks name them; each lies between two barriers of
 *     the work-group
 * @param words whether data goes as words that carry their own arrival
 */
record Demand(List<String> flags, boolean words) {
    /** The flag of re-arming, which every kernel exchanges in a block of its own. */
    static final String REARMED = "REARMED";

    static Demand of(Protocol protocol) {
        List<String> flags = new ArrayList<>();
        boolean words = false;
        boolean barrier = false;
        for (Step step : protocol.steps()) {
            if (step instanceof Step.WorkgroupBarrier) {
                barrier = true;
            } else if (step instanceof Step.StoreFlag store && barrier && store.role() == Role.POLLERS) {
                flags.add(name(store.flags()));
            } else if (step instanceof Step.SendWords) {
                words = true;
            }
        }
        return new Demand(List.copyOf(flags), words);
    }

    private static String name(Buffer flags) {
        return flags.name().toUpperCase(Locale.ROOT);
    }
}
