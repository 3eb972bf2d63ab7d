package io.lockstep.cli.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.core.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that are right, and all the ways in which one can be wrong. */
final class SafeTensorsTest {
    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsReadAgain() {
        Path path = folder.resolve("x.safetensors");
        List<TensorSpec> specs = List.of(
                new TensorSpec("b", DType.FP32, List.of(2L, 3L)),
                new TensorSpec("a", DType.BF16, List.of(5L)),
                new TensorSpec("scalar", DType.FP16, List.of()),
                new TensorSpec("empty", DType.FP16, List.of(0L, 7L)));
        try (SafeTensorsWriter writer = SafeTensorsWriter.create(path, specs, Map.of("seed", "42"))) {
            writer.tensor("b").setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, 5, 1.5f);
            writer.tensor("a").setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, 4, (short) 0x3F80);
            writer.complete();
        }
        try (Arena arena = Arena.ofConfined()) {
            SafeTensorsFile file = SafeTensorsFile.open(path, arena);
            assertThat(file.metadata()).containsExactly(Map.entry("seed", "42"));
            assertThat(file.names()).containsExactlyInAnyOrder("b", "a", "scalar", "empty");
            Tensor b = file.tensor("b").orElseThrow();
            assertThat(b.spec()).isEqualTo(specs.getFirst());
            assertThat(b.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, 5)).isEqualTo(1.5f);
            assertThat(file.tensor("a").orElseThrow().data().getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, 4))
                    .isEqualTo((short) 0x3F80);
            assertThat(file.tensor("empty").orElseThrow().data().byteSize()).isZero();
            assertThat(file.tensor("c")).isEmpty();
        }
    }

    @Test
    void anIncompleteFileIsNeverSeen() throws IOException {
        Path path = folder.resolve("x.safetensors");
        List<TensorSpec> specs = List.of(new TensorSpec("a", DType.FP32, List.of(4L)));
        SafeTensorsWriter.create(path, specs, Map.of()).close();
        try (var files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"a\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,8]}|8|its header is not JSON",
                "[]|0|no JSON object",
                "{\"a\":1}|0|'a' has the dtype",
                "{\"a\":{\"dtype\":\"Q4\",\"shape\":[8],\"data_offsets\":[0,8]}}|8|the dtype 'Q4', which the format does not know",
                "{\"a\":{\"dtype\":\"BF16\",\"data_offsets\":[0,8]}}|8|'a' has no list 'shape'",
                "{\"a\":{\"dtype\":\"BF16\",\"shape\":[4]}}|8|'a' has no list 'data_offsets'",
                "{\"a\":{\"dtype\":\"BF16\",\"shape\":[-4],\"data_offsets\":[0,8]}}|8|'-4' in its shape",
                "{\"a\":{\"dtype\":\"BF16\",\"shape\":[4.5],\"data_offsets\":[0,8]}}|8|'4.5' in its shape",
                "{\"a\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0]}}|8|has 1 data_offsets: expected 2",
                "{\"a\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[8,0]}}|8|lies at bytes 8 to 0",
                "{\"a\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[0,8]}}|7|the file is cut short",
                "{\"a\":{\"dtype\":\"BF16\",\"shape\":[5],\"data_offsets\":[0,8]}}|8|8 bytes of data where its shape [5] of BF16 needs 10",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,8]}}|8|needs 16",
                "{\"a\":{\"dtype\":\"BF16\",\"shape\":[9999999999,9999999999],\"data_offsets\":[0,8]}}|8|too large for any file",
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[4,12]}}|12|'b' begins at byte 4 of the data and overlaps the tensor 'a'",
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}|8|bytes 0 to 4 of the data, before the tensor 'a', belong to no tensor",
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}|8|its last 4 bytes belong to no tensor",
                "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}|4|Duplicate",
            })
    void aMalformedFileIsRefusedAndTheFaultNamed(String header, int dataBytes, String expected) throws IOException {
        Path path = write(header, header.length(), dataBytes);
        assertRefused(path, expected);
    }

    @Test
    void aHeaderLongerThanTheFileIsRefused() throws IOException {
        assertRefused(write("{}", 3, 0), "say that the header has 3 bytes, where 2 to 2 are possible");
        assertRefused(write("{}", -1, 0), "say that the header has 18446744073709551615 bytes");
        assertRefused(write("{}", 0, 0), "say that the header has 0 bytes");
    }

    @Test
    void aFileOfAFewBytesIsRefused() throws IOException {
        Path path = folder.resolve("short.safetensors");
        Files.write(path, new byte[3]);
        assertRefused(path, "it has 3 bytes");
        Files.write(path, new byte[0]);
        assertRefused(path, "it has 0 bytes");
    }

    @Test
    void aTypeThatIsNotComputedWithIsRefusedWhenItIsUsedOnly() throws IOException {
        String header = "{\"n\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}";
        try (Arena arena = Arena.ofConfined()) {
            SafeTensorsFile file = SafeTensorsFile.open(write(header, header.length(), 8), arena);
            assertThat(file.names()).containsExactly("n");
            assertThatThrownBy(() -> file.tensor("n"))
                    .isInstanceOf(CommandFailure.class)
                    .hasMessageContaining("is of type I64");
        }
    }

    private void assertRefused(Path path, String expected) {
        try (Arena arena = Arena.ofConfined()) {
            assertThatThrownBy(() -> SafeTensorsFile.open(path, arena))
                    .isInstanceOf(CommandFailure.class)
                    .hasMessageContaining(expected)
                    .hasMessageStartingWith(path.toString());
        }
    }

    private Path write(String header, long headerLength, int dataBytes) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer file = ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        file.putLong(headerLength).put(json);
        Path path = Files.createTempFile(folder, "test", ".safetensors");
        Files.write(path, file.array());
        return path;
    }
}
