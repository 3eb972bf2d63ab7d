package io.lockstep.gpu.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/** A listing with one thing changed near a mark of one kernel. */
final class Damage {
    private final List<String> lines;
    private final int mark;

    private Damage(List<String> lines, int mark) {
        this.lines = lines;
        this.mark = mark;
    }

    /** Near the first place of this mark in the kernel. */
    static Damage near(String listing, String kernel, String mark) {
        List<String> lines = new ArrayList<>(Arrays.asList(listing.split("\n", -1)));
        int at = find(lines, 0, 1, Pattern.compile(kernel + ":.*"));
        return new Damage(lines, find(lines, at, 1, Pattern.compile("\\s*ls_mark\\." + Pattern.quote(mark) + "\\..*")));
    }

    private static int find(List<String> lines, int from, int step, Pattern pattern) {
        for (int at = from; at >= 0 && at < lines.size(); at += step) {
            if (pattern.matcher(lines.get(at)).matches()) {
                return at;
            }
        }
        throw new AssertionError("The listing has no line " + pattern + " from line " + from + " on.");
    }

    private Damage change(int at, UnaryOperator<String> how) {
        String changed = how.apply(lines.get(at));
        assertThat(changed).as("the damage does something").isNotEqualTo(lines.get(at));
        lines.set(at, changed);
        return this;
    }

    /** Takes out the nearest such instruction before the mark. */
    Damage withoutBefore(String mnemonic) {
        return change(find(lines, mark, -1, code(mnemonic)), line -> "");
    }

    /** Takes out the nearest such instruction behind the mark. */
    Damage withoutAfter(String mnemonic) {
        return change(find(lines, mark, 1, code(mnemonic)), line -> "");
    }

    /** Takes out the nearest such instruction behind the nearest one of another kind behind the mark. */
    Damage withoutAfter(String first, String mnemonic) {
        return change(find(lines, find(lines, mark, 1, code(first)), 1, code(mnemonic)), line -> "");
    }

    /** Takes out every such instruction between the nearest one of a kind before the mark, and the mark. */
    Damage withoutAllSince(String since, String mnemonic) {
        return withoutAll(find(lines, mark, -1, code(since)), mark, mnemonic);
    }

    /**
     * Takes out every such instruction in the few lines before the nearest one of a kind, which lies before the mark.
     */
    Damage withoutAllAhead(String of, String mnemonic, int few) {
        int end = find(lines, mark, -1, code(of));
        return withoutAll(end - few, end, mnemonic);
    }

    /** Takes out every such instruction between the mark and the nearest one of a kind behind it. */
    Damage withoutAllUntil(String until, String mnemonic) {
        return withoutAll(mark, find(lines, mark, 1, code(until)), mnemonic);
    }

    private Damage withoutAll(int from, int to, String mnemonic) {
        int gone = 0;
        for (int at = from; at < to; at++) {
            if (code(mnemonic).matcher(lines.get(at)).matches()) {
                lines.set(at, "");
                gone++;
            }
        }
        assertThat(gone).as("instructions taken out").isPositive();
        return this;
    }

    /** Takes the scope off the nearest such instruction before, or behind, the mark. */
    Damage narrowed(String mnemonic, boolean before) {
        return change(
                find(lines, mark, before ? -1 : 1, code(mnemonic)),
                line -> line.replace(" sc0 sc1", " sc1")
                        .replace("SCOPE_SYS", "SCOPE_DEV")
                        .replace(" glc", ""));
    }

    /** Puts an instruction in front of the nearest one of a kind, which lies before the mark. */
    Damage with(String of, String instruction) {
        lines.add(find(lines, mark, -1, code(of)), "\t" + instruction);
        return this;
    }

    /** Puts an instruction behind the nearest one of a kind, which lies behind the mark. */
    Damage withBehind(String of, String instruction) {
        lines.add(find(lines, mark, 1, code(of)) + 1, "\t" + instruction);
        return this;
    }

    /** Puts an instruction in front of the mark. */
    Damage with(String instruction) {
        lines.add(mark, "\t" + instruction);
        return this;
    }

    String text() {
        return String.join("\n", lines);
    }

    private static Pattern code(String mnemonic) {
        return Pattern.compile("\\s+(?:" + mnemonic + ")(?:\\s.*)?");
    }
}
