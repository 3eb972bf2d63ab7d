package io.lockstep.litmus.file;

/** A litmus file uses something that the reader or the model leaves out; the message names it. */
public final class UnsupportedLitmusException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnsupportedLitmusException(String what) {
        super(what);
    }
}
