package io.lockstep.core;

/**
 * What Lockstep throws. The kinds are few and closed, so that a caller can decide by type what to do: mend the call
 * ({@link UsageException}), mend the program on another rank ({@link DisagreementException}), form a new group
 * ({@link PeerLostException}, {@link CollectiveTimeoutException}) or mend the machine ({@link DriverException}).
 *
 * <p>After any of them but a {@link UsageException} the communicator it came from is of no further use: close it and
 * join again.
 */
public abstract sealed class LockstepException extends RuntimeException
        permits UsageException, DisagreementException, PeerLostException, CollectiveTimeoutException, DriverException {
    private static final long serialVersionUID = 1L;

    LockstepException(String message) {
        super(message);
    }

    LockstepException(String message, Throwable cause) {
        super(message, cause);
    }
}
