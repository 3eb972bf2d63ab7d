package io.lockstep.litmus;

import io.lockstep.core.protocol.Model;
import io.lockstep.core.protocol.Placement;
import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Scope;
import java.util.ArrayList;
import java.util.List;

/**
 * Under what a protocol is judged.
 *
 * @param model the memory model
 * @param placement whether kernel boundaries that may be left out are there
 * @param boundary the scope of the fences at a kernel boundary; PTX and Java give it none
 * @param devices how many devices or ranks
 * @param calls how many calls use the same memory: rounds beyond the first turn of every buffer, plus one
 */
public record Setting(Model model, Placement placement, Scope boundary, int devices, int calls) {

    /**
     * The settings of the table: every model, placement and boundary that makes a difference, two devices and calls.
     */
    public static List<Setting> of(Protocol protocol) {
        return of(protocol, 2, 2);
    }

    /** The settings that make a difference, for so many devices and calls. */
    public static List<Setting> of(Protocol protocol, int devices, int calls) {
        List<Setting> settings = new ArrayList<>();
        for (Model model : Model.values()) {
            for (Placement placement : Placement.values()) {
                if (protocol.models().contains(model) && protocol.allows(placement)) {
                    settings.add(new Setting(model, placement, Scope.DEVICE, devices, calls));
                    if (model == Model.AMDGPU && placement == Placement.LATER_KERNEL) {
                        settings.add(new Setting(model, placement, Scope.SYSTEM, devices, calls));
                    }
                }
            }
        }
        return settings;
    }

    /** How many rounds of a protocol that is. */
    public int rounds(Protocol protocol) {
        return Math.max(calls, protocol.rotation() + calls - 1);
    }

    /** For a column of a table. */
    public String label() {
        return switch (model) {
            case JAVA -> model.label();
            case PTX -> model.label() + ", " + placement.label();
            case AMDGPU ->
                model.label() + ", " + placement.label()
                        + (placement == Placement.SAME_KERNEL
                                ? ""
                                : boundary == Scope.SYSTEM ? ", system boundary" : ", agent boundary");
        };
    }
}
