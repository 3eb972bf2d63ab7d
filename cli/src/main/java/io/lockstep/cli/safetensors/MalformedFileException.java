package io.lockstep.cli.safetensors;

/** A file is not what the format asks for. The message is the end of a sentence that begins with the file's name. */
final class MalformedFileException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MalformedFileException(String message) {
        super(message);
    }
}
