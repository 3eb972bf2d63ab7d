package io.lockstep.cli.console;

import java.util.ArrayList;
import java.util.List;

/** Aligned columns under a header: words to the left, numbers to the right. */
public final class Table {
    /** How a column is aligned. */
    public enum Align {
        LEFT,
        RIGHT
    }

    private static final String GAP = "  ";

    private final List<String> header = new ArrayList<>();
    private final List<Align> aligns = new ArrayList<>();
    private final List<List<String>> rows = new ArrayList<>();

    /** Adds a column of words. */
    public Table left(String name) {
        return column(name, Align.LEFT);
    }

    /** Adds a column of numbers. */
    public Table right(String name) {
        return column(name, Align.RIGHT);
    }

    private Table column(String name, Align align) {
        header.add(name);
        aligns.add(align);
        return this;
    }

    /** Adds a row with a cell for every column. A cell may be painted: colour takes no room. */
    public void row(List<String> cells) {
        if (cells.size() != header.size()) {
            throw new IllegalArgumentException(
                    "A row has " + cells.size() + " cells where the table has " + header.size() + " columns.");
        }
        rows.add(List.copyOf(cells));
    }

    /** Header and rows, each line ended, no blanks at a line's end. */
    public String render() {
        int[] widths = new int[header.size()];
        for (int column = 0; column < widths.length; column++) {
            widths[column] = visible(header.get(column));
            for (List<String> row : rows) {
                widths[column] = Math.max(widths[column], visible(row.get(column)));
            }
        }
        StringBuilder text = new StringBuilder();
        append(text, header, widths);
        rows.forEach(row -> append(text, row, widths));
        return text.toString();
    }

    private void append(StringBuilder text, List<String> cells, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < widths.length; column++) {
            String cell = cells.get(column);
            String padding = " ".repeat(widths[column] - visible(cell));
            line.append(column == 0 ? "" : GAP)
                    .append(aligns.get(column) == Align.LEFT ? cell + padding : padding + cell);
        }
        text.append(line.toString().stripTrailing()).append('\n');
    }

    private static int visible(String cell) {
        return cell.replaceAll("\u001b\\[[0-9;]*m", "").length();
    }
}
