package io.lockstep.cli.safetensors;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The header of a file.
 *
 * @param entries the tensors by name, in the order of their data
 * @param metadata free text by name
 */
record Header(Map<String, Entry> entries, Map<String, String> metadata) {
    /**
     * One tensor of a header.
     *
     * @param dtype the type of its elements
     * @param shape the length of each dimension
     * @param begin its first byte, counted from the end of the header
     * @param end the byte after its last
     */
    record Entry(FileDType dtype, List<Long> shape, long begin, long end) {}

    private static final String METADATA = "__metadata__";
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build())
            .build();

    /** Reads a header and checks all that it claims against the size of the data that follows it. */
    static Header parse(byte[] json, long dataBytes) {
        JsonNode root;
        try {
            root = MAPPER.readTree(new String(json, StandardCharsets.UTF_8));
        } catch (JacksonException wrong) {
            throw new MalformedFileException("its header is not JSON (" + wrong.getOriginalMessage() + ")");
        }
        if (root == null || !root.isObject()) {
            throw new MalformedFileException("its header is no JSON object");
        }
        Map<String, Entry> entries = new LinkedHashMap<>();
        Map<String, String> metadata = new LinkedHashMap<>();
        root.properties().forEach(property -> {
            if (property.getKey().equals(METADATA)) {
                property.getValue()
                        .properties()
                        .forEach(text ->
                                metadata.put(text.getKey(), text.getValue().asString("")));
            } else {
                entries.put(property.getKey(), entry(property.getKey(), property.getValue(), dataBytes));
            }
        });
        return new Header(checkPacking(entries, dataBytes), metadata);
    }

    private static Entry entry(String name, JsonNode node, long dataBytes) {
        String where = "the tensor '" + name + "' ";
        FileDType dtype = dtype(where, node.path("dtype"));
        List<Long> shape = numbers(where, "shape", node.path("shape"));
        List<Long> offsets = numbers(where, "data_offsets", node.path("data_offsets"));
        if (offsets.size() != 2) {
            throw new MalformedFileException(
                    where + "has " + offsets.size() + " data_offsets: expected 2, its first byte and its end");
        }
        long begin = offsets.get(0);
        long end = offsets.get(1);
        if (begin > end || end > dataBytes) {
            throw new MalformedFileException(where + "lies at bytes " + begin + " to " + end
                    + " of the data, which has " + dataBytes + ": the file is cut short or its header is wrong");
        }
        long bytes;
        try {
            bytes = Math.multiplyExact(shape.stream().reduce(1L, Math::multiplyExact), (long) dtype.bytes());
        } catch (ArithmeticException tooLarge) {
            throw new MalformedFileException(where + "has the shape " + shape + ", which is too large for any file");
        }
        if (bytes != end - begin) {
            throw new MalformedFileException(where + "has " + (end - begin) + " bytes of data where its shape " + shape
                    + " of " + dtype + " needs " + bytes);
        }
        return new Entry(dtype, shape, begin, end);
    }

    private static FileDType dtype(String where, JsonNode node) {
        String text = node.isString() ? node.stringValue() : node.toString();
        try {
            return FileDType.valueOf(text);
        } catch (IllegalArgumentException unknown) {
            throw new MalformedFileException(
                    where + "has the dtype '" + text + "', which the format does not know: expected BF16, F16 or F32");
        }
    }

    private static List<Long> numbers(String where, String what, JsonNode node) {
        if (!node.isArray()) {
            throw new MalformedFileException(where + "has no list '" + what + "'");
        }
        List<Long> numbers = new ArrayList<>();
        for (JsonNode element : node) {
            if (!element.isIntegralNumber() || !element.canConvertToLong() || element.longValue() < 0) {
                throw new MalformedFileException(
                        where + "has '" + element + "' in its " + what + ": expected whole numbers, 0 or more");
            }
            numbers.add(element.longValue());
        }
        return List.copyOf(numbers);
    }

    /** The format wants the data gapless, so that nothing hides in a file. */
    private static Map<String, Entry> checkPacking(Map<String, Entry> entries, long dataBytes) {
        Map<String, Entry> ordered = new LinkedHashMap<>();
        entries.entrySet().stream()
                .sorted(Comparator.comparingLong((Map.Entry<String, Entry> entry) ->
                                entry.getValue().begin())
                        .thenComparingLong(entry -> entry.getValue().end()))
                .forEach(entry -> ordered.put(entry.getKey(), entry.getValue()));
        long position = 0;
        String previous = "the header";
        for (Map.Entry<String, Entry> entry : ordered.entrySet()) {
            String name = "the tensor '" + entry.getKey() + "'";
            long begin = entry.getValue().begin();
            if (begin < position) {
                throw new MalformedFileException(name + " begins at byte " + begin + " of the data and overlaps "
                        + previous + ", which ends at " + position);
            }
            if (begin > position) {
                throw new MalformedFileException("bytes " + position + " to " + begin + " of the data, before " + name
                        + ", belong to no tensor");
            }
            position = entry.getValue().end();
            previous = name;
        }
        if (position != dataBytes) {
            throw new MalformedFileException(
                    "its last " + (dataBytes - position) + " bytes belong to no tensor: the header is another file's");
        }
        return ordered;
    }
}
