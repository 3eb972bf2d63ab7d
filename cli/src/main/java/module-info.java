/** The command line. The only module that prints. */
module io.lockstep.cli {
    requires io.lockstep.core;
    requires info.picocli;
    requires static org.jspecify;

    opens io.lockstep.cli to
            info.picocli;
}
