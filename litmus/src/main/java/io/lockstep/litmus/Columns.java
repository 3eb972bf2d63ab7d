package io.lockstep.litmus;

import java.util.ArrayList;
import java.util.List;

/** Text in aligned columns. */
final class Columns {
    private Columns() {}

    /** Pads every column to its widest cell. A heading is broken at its commas so that columns stay narrow. */
    static List<String> align(List<List<String>> rows) {
        List<List<String>> all = new ArrayList<>();
        int depth = rows.getFirst().stream()
                .mapToInt(cell -> cell.split(", ", -1).length)
                .max()
                .orElse(1);
        for (int line = 0; line < depth; line++) {
            List<String> part = new ArrayList<>();
            for (String cell : rows.getFirst()) {
                String[] words = cell.split(", ", -1);
                part.add(line < words.length ? words[line] : "");
            }
            all.add(part);
        }
        all.addAll(rows.subList(1, rows.size()));
        List<String> lines = new ArrayList<>();
        for (List<String> row : all) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < row.size(); i++) {
                int column = i;
                int width = all.stream()
                        .mapToInt(other -> other.get(column).length())
                        .max()
                        .orElse(0);
                text.append(row.get(i)).repeat(' ', width - row.get(i).length() + 2);
            }
            lines.add(text.toString().stripTrailing());
        }
        return lines;
    }
}
