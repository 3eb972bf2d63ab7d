package io.lockstep.cli.launch;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;

/** Copies a program's output line by line, each with its rank before it, never two ranks in one line. */
final class LinePrefixer implements Runnable {
    private final InputStream from;
    private final PrintWriter to;
    private final String prefix;

    LinePrefixer(InputStream from, PrintWriter to, String prefix) {
        this.from = from;
        this.to = to;
        this.prefix = prefix;
    }

    @Override
    public void run() {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(from, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (to) {
                    to.println(prefix + line);
                    to.flush();
                }
            }
        } catch (IOException ended) {
            // The program was ended while it wrote; what it had to say is out.
        }
    }
}
