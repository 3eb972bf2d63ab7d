/** The command line. The only module that prints. */
module io.lockstep.cli {
    requires info.picocli;
    requires io.lockstep.core;
    requires io.lockstep.gpu;
    requires io.lockstep.litmus;
    requires static org.jspecify;
    // For plot alone: the launcher adds it there, so that no other command needs a Java with a desktop.
    requires static java.desktop;
    requires static xchart;
    requires tools.jackson.databind;

    opens io.lockstep.cli to
            info.picocli,
            tools.jackson.databind;
    opens io.lockstep.cli.bench to
            tools.jackson.databind;
    opens io.lockstep.cli.doctor to
            tools.jackson.databind;
    opens io.lockstep.cli.ranks to
            tools.jackson.databind;
    opens io.lockstep.cli.verify to
            tools.jackson.databind;
}
