package io.lockstep.cli.verify;

/**
 * The first element that is wrong: by iteration, then by rank, row and column.
 *
 * @param rank on which rank
 * @param iteration in which iteration, counted from 0
 * @param tensor in which output
 * @param row in which row
 * @param column in which column
 * @param expected what the specification gives
 * @param found what the rank has
 * @param call in which of the iteration's calls, counted from 0
 */
public record FirstBad(
        int rank, long iteration, String tensor, int row, int column, float expected, float found, int call) {
    /** In a table. */
    public String brief() {
        return "iteration " + iteration + ", rank " + rank + (call == 0 ? ", " : ", call " + call + ", ") + tensor + "["
                + row + "," + column + "]";
    }
}
