/** The command line. The only module that prints. */
module io.lockstep.cli {
    requires io.lockstep.core;
    requires io.lockstep.litmus;
    requires info.picocli;
    requires tools.jackson.databind;
    requires static org.jspecify;

    opens io.lockstep.cli to
            info.picocli;
}
