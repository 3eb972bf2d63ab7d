/**
 * What a user of Lockstep holds: a {@link io.lockstep.core.Communicator} joined to its group, the
 * {@link io.lockstep.core.Plan} of an {@link io.lockstep.core.Operation}, and the failures. Nothing here touches shared
 * memory or a device; that is the business of a {@link io.lockstep.core.Backend}.
 */
@NullMarked
package io.lockstep.core;

import org.jspecify.annotations.NullMarked;
