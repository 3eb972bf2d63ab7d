package io.lockstep.gpu.inspect;

/** What compiled code must keep to: the rules of one vendor's instructions. */
public sealed interface IsaRule permits AmdgcnRule, PtxRule {
    /** The name on the command line and in messages. */
    String label();
}
