package io.lockstep.gpu.collective;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.lockstep.gpu.Tools;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelSource;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Java and the kernels draw the same memory. */
class LayoutTest {
    private static final Pattern NUMBER = Pattern.compile("#define (LS_\\w+) (\\d+)(?: *//.*)?");

    private static Map<String, Long> numbers() {
        Map<String, Long> numbers = new HashMap<>();
        for (String line : KernelSource.resource("frame.h").lines().toList()) {
            Matcher matcher = NUMBER.matcher(line);
            if (matcher.matches()) {
                numbers.put(matcher.group(1), Long.parseLong(matcher.group(2)));
            }
        }
        return numbers;
    }

    @Test
    void theRegionBeginsAsTheKernelsSay() {
        assertThat(numbers())
                .containsEntry("LS_AT_REARMED", RegionLayout.AT_REARMED)
                .containsEntry("LS_REARMED_STRIDE", RegionLayout.REARMED_STRIDE)
                .containsEntry("LS_AT_START", RegionLayout.AT_START)
                .containsEntry("LS_AT_MIDDLE", RegionLayout.AT_MIDDLE)
                .containsEntry("LS_AT_END", RegionLayout.AT_END)
                .containsEntry("LS_AT_HEADERS", RegionLayout.AT_HEADERS)
                .containsEntry("LS_AT_ROWS", RegionLayout.AT_ROWS)
                .containsEntry("LS_COPIES", (long) RegionLayout.COPIES)
                .containsEntry("LS_MOST_BLOCKS", (long) RegionLayout.MOST_BLOCKS)
                .containsEntry("LS_MOST_RANKS", (long) RegionLayout.MOST_RANKS);
    }

    @Test
    void everyPartOfTheRegionEndsBeforeTheNextBegins() {
        long flags = (long) RegionLayout.MOST_BLOCKS * RegionLayout.MOST_RANKS * Integer.BYTES;
        assertThat(RegionLayout.AT_REARMED + RegionLayout.MOST_RANKS * RegionLayout.REARMED_STRIDE)
                .isLessThanOrEqualTo(RegionLayout.AT_START);
        assertThat(RegionLayout.AT_START + flags).isLessThanOrEqualTo(RegionLayout.AT_MIDDLE);
        assertThat(RegionLayout.AT_MIDDLE + flags).isLessThanOrEqualTo(RegionLayout.AT_END);
        assertThat(RegionLayout.AT_END + flags).isLessThanOrEqualTo(RegionLayout.AT_HEADERS);
        assertThat(RegionLayout.AT_HEADERS + 2 * RegionLayout.COPIES * flags).isLessThanOrEqualTo(RegionLayout.AT_ROWS);
    }

    @Test
    void exchangesAndFailuresHaveTheKernelsNumbers() {
        Map<String, Long> numbers = numbers();
        for (Exchange exchange : Exchange.values()) {
            assertThat(numbers).containsEntry("LS_" + exchange.name(), (long) exchange.code());
        }
        assertThat(numbers)
                .containsEntry("LS_ABORTED", (long) CallReport.ABORTED)
                .containsEntry("LS_NO_WORDS", (long) CallReport.NO_WORDS)
                .containsEntry("LS_NO_HEADER", (long) CallReport.NO_HEADER)
                .containsEntry("LS_NOT_REARMED", (long) CallReport.NOT_REARMED)
                .containsEntry("LS_NO_FLAG", (long) CallReport.NO_FLAG)
                .containsEntry("LS_OTHER_CALL", (long) CallReport.OTHER_CALL);
    }

    @Test
    void theStructsLieWhereTheCompilerPutsThem(@TempDir Path folder) throws Exception {
        assumeThat(Tools.find("g++"))
                .as("g++, which tells where a struct's members lie")
                .isPresent();
        String frame = KernelSource.resource("frame.h");
        List<String> members = List.of(
                "LsArgs input",
                "LsArgs residual",
                "LsArgs weight",
                "LsArgs reduced",
                "LsArgs residual_out",
                "LsArgs out",
                "LsArgs memory",
                "LsArgs state",
                "LsArgs report",
                "LsArgs deadline",
                "LsArgs sums",
                "LsArgs staging",
                "LsArgs result",
                "LsArgs tokens",
                "LsArgs capacity",
                "LsArgs most_tokens",
                "LsArgs rank",
                "LsArgs epsilon",
                "LsReport abort",
                "LsReport what",
                "LsReport peer",
                "LsReport epoch",
                "LsReport block",
                "LsReport expected",
                "LsReport found");
        StringBuilder program = new StringBuilder("#include <cstddef>\n#include <cstdio>\n"
                + "typedef unsigned char u8; typedef unsigned u32; typedef unsigned long long u64;\n"
                + "#define LS_MOST_RANKS " + RegionLayout.MOST_RANKS + "\n"
                + struct(frame, "LsState") + struct(frame, "LsReport") + struct(frame, "LsArgs") + "int main() {\n");
        for (String member : members) {
            program.append("printf(\"%zu \", offsetof(" + member.replace(' ', ',') + "));\n");
        }
        program.append("printf(\"%zu %zu %zu\", sizeof(LsArgs), sizeof(LsState), sizeof(LsReport)); }\n");

        assertThat(Tools.runSource(folder, program.toString(), List.of()).split(" ", -1))
                .containsExactly(texts(
                        KernelArguments.INPUT,
                        KernelArguments.RESIDUAL,
                        KernelArguments.WEIGHT,
                        KernelArguments.REDUCED,
                        KernelArguments.RESIDUAL_OUT,
                        KernelArguments.OUT,
                        KernelArguments.MEMORY,
                        KernelArguments.STATE,
                        KernelArguments.REPORT,
                        KernelArguments.DEADLINE,
                        KernelArguments.SUMS,
                        KernelArguments.STAGING,
                        KernelArguments.RESULT,
                        KernelArguments.TOKENS,
                        KernelArguments.CAPACITY,
                        KernelArguments.MOST_TOKENS,
                        KernelArguments.RANK,
                        KernelArguments.EPSILON,
                        CallReport.ABORT,
                        CallReport.WHAT,
                        CallReport.PEER,
                        CallReport.EPOCH,
                        CallReport.BLOCK,
                        CallReport.EXPECTED,
                        CallReport.FOUND,
                        KernelArguments.BYTES,
                        KernelArguments.STATE_BYTES,
                        CallReport.BYTES));
    }

    private static String[] texts(long... numbers) {
        return Arrays.stream(numbers).mapToObj(Long::toString).toArray(String[]::new);
    }

    /** A struct's definition in a header. */
    private static String struct(String header, String name) {
        Matcher matcher = Pattern.compile("struct (?:alignas\\(16\\) )?" + name + " \\{.*?\\};\n", Pattern.DOTALL)
                .matcher(header);
        assertThat(matcher.find()).as("struct %s in frame.h", name).isTrue();
        return matcher.group();
    }
}
