package io.lockstep.litmus.file;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The litmus files that come with Lockstep: each says one thing about a barrier, in the format of herd. */
public final class Examples {
    /** Their names, in the order in which they teach. */
    public static final List<String> NAMES = List.of(
            "message-passing-relaxed",
            "message-passing-release-acquire",
            "message-passing-device-acquire",
            "message-passing-device-acquire-one-gpu",
            "fenced-flags",
            "pollers-acquire-then-barrier",
            "acquire-after-barrier",
            "overwritten-too-early",
            "overwritten-in-time",
            "word-lost-to-rearming",
            "word-rearmed-in-time",
            "atomic-counter",
            "store-buffering-fence-sc");

    private Examples() {}

    /** The text of one of them. */
    public static String text(String name) {
        String path = "/io/lockstep/litmus/examples/" + name + ".litmus";
        try (InputStream stream = Examples.class.getResourceAsStream(path)) {
            if (stream == null) {
                throw new IllegalArgumentException("There is no example " + name + "; there are " + NAMES + ".");
            }
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
