/** Memory models, protocols as programs, a checker and a simulator. Depends on core alone. */
module io.lockstep.litmus {
    requires io.lockstep.core;
    requires static org.jspecify;

    exports io.lockstep.litmus;
    exports io.lockstep.litmus.file;
    exports io.lockstep.litmus.launch;
    exports io.lockstep.litmus.sim;
}
