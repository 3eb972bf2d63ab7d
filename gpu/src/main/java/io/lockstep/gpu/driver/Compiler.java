package io.lockstep.gpu.driver;

import java.util.List;

/** Makes code for a device from source text. */
public interface Compiler {
    /** Which one it is and its version: code made by another one is made anew. */
    String identity();

    /** Where it was found; empty where nothing is known of that. */
    default String place() {
        return "";
    }

    /**
     * Compiles one self-contained source.
     *
     * @param architecture see {@link DeviceInfo#architecture}
     * @param defines {@code NAME=value}
     * @return what {@link Driver#load} takes
     * @throws io.lockstep.core.DriverException with the compiler's words if it does not compile
     */
    byte[] compile(String source, String architecture, List<String> defines);
}
