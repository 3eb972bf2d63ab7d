package io.lockstep.litmus;

import io.lockstep.core.protocol.Protocol;
import io.lockstep.core.protocol.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Which calls the devices make, round by round, and what of them is asked about. Only words tell one call from another:
 * what a barrier orders is ordered whatever a call is.
 *
 * @param extents how many words of each buffer the calls use, from round to round; the list begins anew at its end
 * @param question what is asked
 */
record Course(List<Integer> extents, Question question) {
    /** What may go wrong. */
    enum Question {
        /** All devices make the same calls: are the words that are taken theirs, and do all arrive? */
        WORDS,
        /** In the last round the last device makes another call: does device 0 take its words for results? */
        OTHER_CALL,
        /** All devices make the same calls: does a header say otherwise? */
        HEADERS
    }

    /** Every call like every other. */
    static final Course ALIKE = new Course(List.of(1), Question.WORDS);

    /** The most words that a call uses. */
    private static final int MOST = 2;

    /** Keeps its own copy. */
    Course {
        extents = List.copyOf(extents);
    }

    /** The courses that make a difference to a protocol. */
    static List<Course> of(Protocol protocol) {
        if (protocol.steps().stream().noneMatch(Step.SendWords.class::isInstance)) {
            return List.of(ALIKE);
        }
        return List.of(
                ALIKE,
                new Course(List.of(MOST, 1), Question.WORDS),
                new Course(List.of(1, MOST), Question.WORDS),
                new Course(List.of(1), Question.OTHER_CALL),
                new Course(List.of(1), Question.HEADERS));
    }

    /** Every sequence of extents of so many rounds. */
    static List<Course> ofAllExtents(int rounds) {
        List<Course> all = new ArrayList<>();
        for (int bits = 0; bits < 1 << rounds; bits++) {
            List<Integer> extents = new ArrayList<>();
            for (int round = 0; round < rounds; round++) {
                extents.add((bits >> round & 1) == 1 ? MOST : 1);
            }
            all.add(new Course(extents, Question.WORDS));
        }
        return all;
    }

    /** How many words of each buffer the call of a round uses. */
    int extent(int round) {
        return extents.get((round - 1) % extents.size());
    }

    /** A sentence for a counterexample; empty if there is nothing to say. */
    String label(int rounds) {
        if (question == Question.OTHER_CALL) {
            return "in round " + rounds + " the last device makes another call than the others: its words are 100 more";
        }
        if (extents.size() == 1) {
            return "";
        }
        return IntStream.rangeClosed(1, rounds)
                .mapToObj(round -> String.valueOf(extent(round)))
                .collect(Collectors.joining(", ", "the calls use ", " words"));
    }
}
