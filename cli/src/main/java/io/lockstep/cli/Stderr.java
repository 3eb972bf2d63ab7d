package io.lockstep.cli;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The JVM warns on stderr that the Vector API incubates, and nothing turns that off. So the launcher starts the JVM
 * with stderr leading nowhere and the real one as another descriptor, and this puts it back.
 */
final class Stderr {
    private static final String PROPERTY = "lockstep.stderr";
    private static final int STDERR = 2;

    private Stderr() {}

    /** Makes the descriptor that the launcher named the standard error again. Without a launcher nothing is done. */
    @SuppressWarnings("restricted")
    static void restore() {
        Integer kept = Integer.getInteger(PROPERTY);
        if (kept == null) {
            return;
        }
        try {
            Linker linker = Linker.nativeLinker();
            MethodHandle dup2 = linker.downcallHandle(
                    linker.defaultLookup().findOrThrow("dup2"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
            MethodHandle close = linker.downcallHandle(
                    linker.defaultLookup().findOrThrow("close"),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
            // Closed, so that no child inherits it.
            if ((int) dup2.invokeExact((int) kept, STDERR) == STDERR) {
                int ignored = (int) close.invokeExact((int) kept);
            }
        } catch (Throwable failure) {
            System.out.println("lockstep: the standard error could not be restored: " + failure);
        }
    }
}
