package io.lockstep.gpu.collective;

import io.lockstep.gpu.GpuPlan;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.Event;
import io.lockstep.gpu.driver.Stream;

/** The time that the device takes between two points in the stream of a plan. */
public final class GpuTimer implements AutoCloseable {
    private static final double MICROS_PER_MILLI = 1000;

    private final Driver driver;
    private final Stream stream;
    private final Event start;
    private final Event stop;

    GpuTimer(Driver driver, GpuPlan plan) {
        this.driver = driver;
        stream = new Stream(plan.stream().device(), plan.stream().handle());
        start = driver.createEvent(stream.device());
        stop = driver.createEvent(stream.device());
    }

    /** Marks the first point. */
    public void start() {
        driver.record(start, stream);
    }

    /** Marks the second point. */
    public void stop() {
        driver.record(stop, stream);
    }

    /** The time between them, once the stream has passed both. */
    public double microseconds() {
        return driver.milliseconds(start, stop) * MICROS_PER_MILLI;
    }

    @Override
    public void close() {
        driver.destroy(start);
        driver.destroy(stop);
    }
}
