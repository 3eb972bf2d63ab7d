package io.lockstep.gpu.inspect;

import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an instruction does, as far as ordering is concerned.
 *
 * @param kind of access or of order
 * @param system whether its scope is the system; true where the architecture has no narrower one
 * @param bytes that an access moves for a thread
 * @param waitsForLoads whether no load is left under way
 * @param waitsForStores whether no store is left under way
 */
record AmdgcnEffect(Kind kind, boolean system, int bytes, boolean waitsForLoads, boolean waitsForStores) {
    enum Kind {
        /** Nothing that an order is about. */
        NONE,
        LOAD,
        STORE,
        ATOMIC,
        SCALAR_LOAD,
        WRITE_BACK,
        /** Of the caches that a wave's own loads look into first; what makes it the system's is said by the scope. */
        INVALIDATE,
        WAIT,
        BARRIER,
        BRANCH,
        JUMP,
        END,
        FLAT,
        SCRATCH,
        UNKNOWN
    }

    private static final Pattern SCALAR =
            Pattern.compile("s_(abs|add|addc|addk|and|andn2|and_not1|andn1|ashr|bcnt[01]|bfe|bfm"
                    + "|bitcmp[01]|bitset[01]|brev|cls|clz|cmov|cmovk|cmp|cmpk|cselect|cvt|ctz|ff0|ff1|flbit|fmac|fmul|fadd|lshl[1-4]?"
                    + "|lshr|max|min|mov|movk|movreld|movrels|mul|mulk|nand|nor|not|or|orn2|or_not1|pack|quadmask|sext|sub|subb|subk|wqm|xnor"
                    + "|xor|nor|absdiff)(_.*)?");
    private static final Set<String> HARMLESS = Set.of(
            "s_nop",
            "s_sleep",
            "s_clause",
            "s_delay_alu",
            "s_code_end",
            "s_set_inst_prefetch_distance",
            "s_setprio",
            "s_inst_prefetch",
            "s_getpc_b64",
            "s_getreg_b32",
            "s_setreg_imm32_b32",
            "s_setreg_b32",
            "s_sendmsg",
            "s_sendmsg_rtn_b64",
            "s_memrealtime",
            "s_waitcnt_depctr",
            "s_wait_alu",
            "s_wait_kmcnt",
            "s_wait_dscnt",
            "s_wait_xcnt",
            "s_wait_samplecnt",
            "s_wait_bvhcnt",
            "s_wait_expcnt",
            "s_barrier_signal",
            "s_set_vgpr_msb",
            "s_version",
            "s_round_mode",
            "s_denorm_mode",
            "s_prefetch_inst",
            "s_prefetch_inst_pc_rel",
            "s_ttracedata",
            "s_get_shader_cycles_u64",
            "s_trap");
    private static final Pattern WIDTH = Pattern.compile(
            "_(?:dword(x[234])?|b(8|16|32|64|96|128)|ubyte|sbyte|byte|u8|i8|ushort|sshort|short|u16|i16)(?:_.*)?$");
    private static final Pattern LANES = Pattern.compile(
            "(ds_(bpermute_b32|permute_b32|swizzle_b32|read2?|write2?|load|load_2addr|store|store_2addr|read2st64|write2st64|load_2addr_stride64|store_2addr_stride64)(_.*)?)");

    static AmdgcnEffect of(AmdgcnArch arch, List<AmdgcnInstruction> code, int index) {
        AmdgcnInstruction instruction = code.get(index);
        String name = instruction.mnemonic();
        if (name.startsWith("v_")
                || SCALAR.matcher(name).matches()
                || HARMLESS.contains(name)
                || LANES.matcher(name).matches()) {
            return plain(Kind.NONE);
        }
        if (name.startsWith("s_waitcnt") || name.startsWith("s_wait_")) {
            return wait(arch, instruction);
        }
        return switch (name) {
            case "s_barrier", "s_barrier_wait" -> plain(Kind.BARRIER);
            case "s_branch" -> plain(Kind.JUMP);
            case "s_endpgm" -> plain(Kind.END);
            case "buffer_wbl2", "global_wb" ->
                new AmdgcnEffect(Kind.WRITE_BACK, cacheScope(arch, code, index), 0, false, false);
            case "buffer_inv", "global_inv", "buffer_wbinvl1_vol", "buffer_gl0_inv" ->
                new AmdgcnEffect(Kind.INVALIDATE, cacheScope(arch, code, index), 0, false, false);
            // The farther half of an invalidation, which the nearer half is judged with.
            case "buffer_invl2", "buffer_gl1_inv" -> plain(Kind.NONE);
            default -> access(arch, instruction);
        };
    }

    private static AmdgcnEffect plain(Kind kind) {
        return new AmdgcnEffect(kind, true, 0, false, false);
    }

    private static AmdgcnEffect wait(AmdgcnArch arch, AmdgcnInstruction instruction) {
        String text = instruction.toString();
        boolean zero = instruction.operand(0).matches("(0|0x0)");
        return switch (arch.caches()) {
            case GFX90A, GFX94 -> {
                boolean all = instruction.mnemonic().equals("s_waitcnt") && (text.contains("vmcnt(0)") || zero);
                yield new AmdgcnEffect(Kind.WAIT, true, 0, all, all);
            }
            case GFX11 -> {
                boolean loads = instruction.mnemonic().equals("s_waitcnt") && (text.contains("vmcnt(0)") || zero);
                boolean stores = instruction.mnemonic().equals("s_waitcnt_vscnt")
                        && instruction.operand(1).matches("(0|0x0)");
                yield new AmdgcnEffect(Kind.WAIT, true, 0, loads, stores);
            }
            case GFX12 -> {
                String name = instruction.mnemonic();
                boolean known = name.matches("s_wait_(loadcnt|storecnt|loadcnt_dscnt|storecnt_dscnt|idle)");
                boolean idle = name.equals("s_wait_idle");
                yield known
                        ? new AmdgcnEffect(
                                Kind.WAIT,
                                true,
                                0,
                                idle || (zero && name.contains("loadcnt")),
                                idle || (zero && name.contains("storecnt")))
                        : plain(Kind.UNKNOWN);
            }
        };
    }

    private static boolean cacheScope(AmdgcnArch arch, List<AmdgcnInstruction> code, int index) {
        AmdgcnInstruction instruction = code.get(index);
        String before = index == 0 ? "" : code.get(index - 1).mnemonic();
        return switch (arch.caches()) {
            case GFX90A -> instruction.mnemonic().equals("buffer_wbl2") || before.equals("buffer_invl2");
            case GFX94 -> instruction.has("sc0") && instruction.has("sc1");
            case GFX11 -> before.equals("buffer_gl1_inv");
            case GFX12 -> instruction.has("scope:SCOPE_SYS");
        };
    }

    private static AmdgcnEffect access(AmdgcnArch arch, AmdgcnInstruction instruction) {
        String name = instruction.mnemonic();
        if (name.startsWith("s_cbranch_")) {
            return plain(Kind.BRANCH);
        }
        if (name.startsWith("flat_")) {
            return plain(Kind.FLAT);
        }
        if (name.startsWith("scratch_")) {
            return plain(Kind.SCRATCH);
        }
        if (name.matches("s_(load|buffer_load)_(dword(x\\d+)?|[bui]\\d+)")) {
            return plain(Kind.SCALAR_LOAD);
        }
        boolean known = name.matches("(global|buffer)_(load|store|atomic)_.*") && !name.contains("_lds");
        if (!known) {
            return plain(Kind.UNKNOWN);
        }
        if (name.startsWith("buffer_") && !instruction.has("offen")) {
            // Where there are no scratch instructions, scratch memory is a buffer that is reached without an offset.
            return plain(Kind.SCRATCH);
        }
        Kind kind = name.contains("_atomic_") ? Kind.ATOMIC : name.contains("_load_") ? Kind.LOAD : Kind.STORE;
        boolean store = kind == Kind.STORE;
        boolean system = switch (arch.caches()) {
            case GFX90A, GFX11 -> store || instruction.has("glc");
            case GFX94 -> instruction.has("sc0") && instruction.has("sc1");
            case GFX12 -> instruction.has("scope:SCOPE_SYS");
        };
        return new AmdgcnEffect(kind, system, bytes(name), false, false);
    }

    private static int bytes(String mnemonic) {
        Matcher width = WIDTH.matcher(mnemonic);
        if (!width.find()) {
            return 0;
        }
        if (width.group(2) != null) {
            return Integer.parseInt(width.group(2)) / 8;
        }
        if (width.group().startsWith("_dword")) {
            return width.group(1) == null ? 4 : 4 * (width.group(1).charAt(1) - '0');
        }
        return width.group().contains("byte") || width.group().endsWith("8") ? 1 : 2;
    }
}
