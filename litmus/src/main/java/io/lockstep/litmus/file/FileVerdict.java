package io.lockstep.litmus.file;

/**
 * What the PTX model says of a litmus file.
 *
 * @param name the test's name, or the file's if it could not be read
 * @param answer whether what it says of its condition is so
 * @param statement the question, for example {@code exists}
 * @param skipped what it uses that is left out, or empty
 * @param milliseconds how long it took
 */
public record FileVerdict(String name, Answer answer, String statement, String skipped, double milliseconds) {
    /** The possible answers. */
    public enum Answer {
        /** What the file says of its condition is so. */
        HOLDS,
        /** It is not. */
        FAILS,
        /** The file was not judged. */
        SKIPPED
    }
}
