package io.lockstep.gpu.inspect;

import io.lockstep.core.UsageException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An AMD code object, as far as launching it is concerned: an ELF file whose note of type 32 describes the kernels in
 * MessagePack, and whose symbols {@code NAME.kd} are the kernels' descriptors.
 *
 * @param target such as {@code amdgcn-amd-amdhsa--gfx942}
 * @param kernels in the order of the note
 */
public record CodeObject(String target, List<Kernel> kernels) {
    private static final int MACHINE = 18;
    private static final int SECTION_TABLE = 40;
    private static final int SECTION_COUNT = 60;
    private static final int MACHINE_AMDGPU = 224;
    private static final int SECTION_SYMBOLS = 2;
    private static final int SECTION_NOTE = 7;
    private static final int SECTION_DYNAMIC_SYMBOLS = 11;
    private static final int NOTE_METADATA = 32;
    private static final int SECTION_HEADER_BYTES = 64;
    private static final int SYMBOL_BYTES = 24;

    /** In a kernel's descriptor, the register of settings; bits 16 to 19 of it keep subnormal numbers. */
    private static final int DESCRIPTOR_SETTINGS = 48;

    private static final int KEEP_SUBNORMALS = 0xF << 16;

    /**
     * One kernel.
     *
     * @param name its entry point
     * @param argumentBytes of its arguments
     * @param wave threads of a wave
     * @param threads of a work-group, at most; the kernels are launched with no fewer
     * @param groupBytes of memory that a work-group shares
     * @param scratchBytes of memory that a thread has for itself
     * @param vectorRegisters of a thread
     * @param spilledVectors vector registers that did not fit
     * @param keepsSubnormals whether fp16 and fp32 arithmetic keeps them
     */
    public record Kernel(
            String name,
            long argumentBytes,
            long wave,
            long threads,
            long groupBytes,
            long scratchBytes,
            long vectorRegisters,
            long spilledVectors,
            boolean keepsSubnormals) {}

    /** Keeps its own list. */
    public CodeObject {
        kernels = List.copyOf(kernels);
    }

    /** Whether a file begins as an ELF file does. */
    public static boolean isElf(byte[] file) {
        return file.length > 4 && file[0] == 0x7F && file[1] == 'E' && file[2] == 'L' && file[3] == 'F';
    }

    /** The architecture of the target, such as {@code gfx942}. */
    public String architecture() {
        return target.substring(target.lastIndexOf('-') + 1).split(":", 2)[0];
    }

    /**
     * Reads one.
     *
     * @throws UsageException if it is none
     */
    public static CodeObject read(byte[] file) {
        boolean little64 = isElf(file) && file.length > 64 && file[4] == 2 && file[5] == 1;
        if (!little64) {
            throw new UsageException("The file is no code object: expected an ELF file of 64 bits.");
        }
        ByteBuffer elf = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        if (elf.getShort(MACHINE) != MACHINE_AMDGPU) {
            throw new UsageException("The file is no code object of an AMD GPU: its machine is " + elf.getShort(MACHINE)
                    + ", expected " + MACHINE_AMDGPU + ".");
        }
        try {
            List<Section> sections = sections(elf);
            Map<String, Long> descriptors = descriptors(elf, sections);
            for (Section section : sections) {
                Map<?, ?> metadata = section.type() == SECTION_NOTE ? metadata(elf, section) : Map.of();
                if (!metadata.isEmpty()) {
                    return of(metadata, elf, descriptors);
                }
            }
        } catch (IndexOutOfBoundsException | BufferUnderflowException | ClassCastException e) {
            throw new UsageException("The code object is cut short, or is not as its format says"
                    + (e.getMessage() == null ? "." : ": " + e.getMessage() + "."));
        }
        throw new UsageException("The code object has no note that describes its kernels.");
    }

    private record Section(int type, long address, int offset, int size, int link) {}

    private static List<Section> sections(ByteBuffer elf) {
        int table = (int) elf.getLong(SECTION_TABLE);
        int count = elf.getShort(SECTION_COUNT) & 0xFFFF;
        List<Section> sections = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int at = table + i * SECTION_HEADER_BYTES;
            sections.add(new Section(
                    elf.getInt(at + 4),
                    elf.getLong(at + 16),
                    (int) elf.getLong(at + 24),
                    (int) elf.getLong(at + 32),
                    elf.getInt(at + 40)));
        }
        return sections;
    }

    /** The offsets in the file of the kernels' descriptors. */
    private static Map<String, Long> descriptors(ByteBuffer elf, List<Section> sections) {
        Map<String, Long> found = new HashMap<>();
        for (Section table : sections) {
            if (table.type() != SECTION_SYMBOLS && table.type() != SECTION_DYNAMIC_SYMBOLS) {
                continue;
            }
            Section names = sections.get(table.link());
            for (int at = table.offset(); at < table.offset() + table.size(); at += SYMBOL_BYTES) {
                String name = text(elf, names.offset() + elf.getInt(at));
                int section = elf.getShort(at + 6) & 0xFFFF;
                if (name.endsWith(".kd") && section > 0 && section < sections.size()) {
                    Section home = sections.get(section);
                    found.put(name, elf.getLong(at + 8) - home.address() + home.offset());
                }
            }
        }
        return found;
    }

    private static String text(ByteBuffer elf, int at) {
        int end = at;
        while (elf.get(end) != 0) {
            end++;
        }
        byte[] text = new byte[end - at];
        elf.get(at, text);
        return new String(text, StandardCharsets.UTF_8);
    }

    private static Map<?, ?> metadata(ByteBuffer elf, Section notes) {
        int at = notes.offset();
        while (at < notes.offset() + notes.size()) {
            int nameBytes = elf.getInt(at);
            int bytes = elf.getInt(at + 4);
            if (nameBytes < 0 || bytes < 0) {
                throw new IndexOutOfBoundsException("a note of " + nameBytes + " and " + bytes + " bytes");
            }
            int content = at + 12 + aligned(nameBytes);
            if (elf.getInt(at + 8) == NOTE_METADATA) {
                return (Map<?, ?>) MessagePack.read(elf.slice(content, bytes));
            }
            at = content + aligned(bytes);
        }
        return Map.of();
    }

    private static int aligned(int bytes) {
        return (bytes + 3) / 4 * 4;
    }

    private static CodeObject of(Map<?, ?> metadata, ByteBuffer elf, Map<String, Long> descriptors) {
        List<Kernel> kernels = new ArrayList<>();
        for (Object described : (List<?>) required(metadata, "amdhsa.kernels")) {
            Map<?, ?> kernel = (Map<?, ?>) described;
            String symbol = (String) required(kernel, ".symbol");
            Long descriptor = descriptors.get(symbol);
            if (descriptor == null) {
                throw new UsageException("The code object has no descriptor " + symbol + ".");
            }
            int settings = elf.getInt(descriptor.intValue() + DESCRIPTOR_SETTINGS);
            kernels.add(new Kernel(
                    (String) required(kernel, ".name"),
                    number(kernel, ".kernarg_segment_size"),
                    number(kernel, ".wavefront_size"),
                    number(kernel, ".max_flat_workgroup_size"),
                    number(kernel, ".group_segment_fixed_size"),
                    number(kernel, ".private_segment_fixed_size"),
                    number(kernel, ".vgpr_count"),
                    number(kernel, ".vgpr_spill_count"),
                    (settings & KEEP_SUBNORMALS) == KEEP_SUBNORMALS));
        }
        return new CodeObject((String) required(metadata, "amdhsa.target"), kernels);
    }

    private static long number(Map<?, ?> map, String key) {
        return (Long) required(map, key);
    }

    private static Object required(Map<?, ?> map, String key) {
        Object value = map.get(key);
        if (value == null) {
            throw new UsageException("The code object's note has no " + key + ".");
        }
        return value;
    }
}
