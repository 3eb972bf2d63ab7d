package io.lockstep.cli.console;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Records to JSON and back, in snake_case. */
public final class Json {
    /** The number that every file of ours begins with; it changes when a reader has to change. */
    public static final int SCHEMA = 1;

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .build();

    private Json() {}

    /** On one line. */
    public static String line(Object value) {
        return MAPPER.writeValueAsString(value);
    }

    /** Indented, with a line's end. */
    public static String pretty(Object value) {
        return MAPPER.rebuild()
                        .enable(SerializationFeature.INDENT_OUTPUT)
                        .build()
                        .writeValueAsString(value)
                + "\n";
    }

    /** What a text of ours holds. */
    public static <T> T read(String text, Class<T> type) throws JacksonException {
        return MAPPER.readValue(text, type);
    }

    /** Writes a file, or to the standard output where the file is {@code -}. */
    public static void write(Object value, Path file, Console console) {
        if (file.toString().equals("-")) {
            console.out().print(pretty(value));
            console.out().flush();
            return;
        }
        try {
            Files.writeString(file, pretty(value), StandardCharsets.UTF_8);
        } catch (IOException failure) {
            throw CommandFailure.cannotRun(
                    "Cannot write " + file + ": " + reason(failure) + ". Give a file in a folder that exists.",
                    failure);
        }
    }

    /** What went wrong with a file, in words. */
    public static String reason(IOException failure) {
        if (failure instanceof NoSuchFileException) {
            return "there is no such file or folder";
        }
        if (failure instanceof AccessDeniedException) {
            return "permission denied";
        }
        return failure instanceof FileSystemException other && other.getReason() != null
                ? other.getReason().toLowerCase(Locale.ROOT)
                : String.valueOf(failure.getMessage());
    }
}
