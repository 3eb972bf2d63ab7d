package io.lockstep.gpu.driver;

import io.lockstep.core.Backend;

/** A backend whose ranks live on the devices of a driver. */
public interface DeviceBackend extends Backend {
    /** The driver, ready or not. */
    Driver driver();
}
