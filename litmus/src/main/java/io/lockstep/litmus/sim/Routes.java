package io.lockstep.litmus.sim;

/**
 * Who writes which lines of a buffer for whom. A place is one line as one reader finds it: places are what the machine
 * keeps, and what the adversary hits.
 *
 * @param kind which way the lines go
 * @param devices how many devices
 * @param tokens rows
 * @param linesOfRow lines in a row
 */
record Routes(Kind kind, int devices, int tokens, int linesOfRow) {
    /** Which way. */
    enum Kind {
        /** One-shot: every reader takes every line of every writer. */
        ALL_TO_ALL,
        /** The first stage of two-shot: the owner of a row takes its lines from every writer. */
        TO_OWNER,
        /** The second stage of two-shot: every reader takes every line from its owner. */
        FROM_OWNER
    }

    int lines() {
        return tokens * linesOfRow;
    }

    int places() {
        return lines() * devices * (kind == Kind.ALL_TO_ALL ? devices : 1);
    }

    private int firstRow(int owner) {
        return (int) ((long) tokens * owner / devices);
    }

    /** The device that adds a row. */
    int owner(int line) {
        int row = line / linesOfRow;
        int guess = (int) ((long) row * devices / tokens);
        while (guess + 1 < devices && firstRow(guess + 1) <= row) {
            guess++;
        }
        return guess;
    }

    private int ownLines(int owner) {
        return (firstRow(owner + 1) - firstRow(owner)) * linesOfRow;
    }

    /** How many places a device writes. */
    int writes(int writer) {
        return switch (kind) {
            case ALL_TO_ALL -> lines() * devices;
            case TO_OWNER -> lines();
            case FROM_OWNER -> ownLines(writer) * devices;
        };
    }

    /** One of them. */
    int written(int writer, int index) {
        return switch (kind) {
            case ALL_TO_ALL -> (writer * devices + index / lines()) * lines() + index % lines();
            case TO_OWNER -> writer * lines() + index;
            case FROM_OWNER -> {
                int own = ownLines(writer);
                yield index / own * lines() + firstRow(writer) * linesOfRow + index % own;
            }
        };
    }

    /** How many places a device reads. */
    int reads(int reader) {
        return switch (kind) {
            case ALL_TO_ALL -> lines() * devices;
            case TO_OWNER -> ownLines(reader) * devices;
            case FROM_OWNER -> lines();
        };
    }

    /** One of them. */
    int read(int reader, int index) {
        return switch (kind) {
            case ALL_TO_ALL -> (index / lines() * devices + reader) * lines() + index % lines();
            case TO_OWNER -> {
                int own = ownLines(reader);
                yield index / own * lines() + firstRow(reader) * linesOfRow + index % own;
            }
            case FROM_OWNER -> reader * lines() + index;
        };
    }

    int line(int place) {
        return place % lines();
    }

    int writer(int place) {
        return switch (kind) {
            case ALL_TO_ALL -> place / lines() / devices;
            case TO_OWNER -> place / lines();
            case FROM_OWNER -> owner(line(place));
        };
    }

    int reader(int place) {
        return switch (kind) {
            case ALL_TO_ALL -> place / lines() % devices;
            case TO_OWNER -> owner(line(place));
            case FROM_OWNER -> place / lines();
        };
    }

    /** Where other readers find the line that its writer keeps in its own memory. */
    int[] shared(int place) {
        if (kind != Kind.ALL_TO_ALL) {
            return new int[] {place};
        }
        int[] all = new int[devices];
        for (int reader = 0; reader < devices; reader++) {
            all[reader] = (writer(place) * devices + reader) * lines() + line(place);
        }
        return all;
    }
}
