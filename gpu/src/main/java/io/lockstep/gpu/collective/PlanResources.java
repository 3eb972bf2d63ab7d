package io.lockstep.gpu.collective;

import io.lockstep.core.DriverException;
import io.lockstep.gpu.driver.Code;
import io.lockstep.gpu.driver.Collectives;
import io.lockstep.gpu.driver.Driver;
import io.lockstep.gpu.driver.HostMemory;
import io.lockstep.gpu.driver.Kernel;
import io.lockstep.gpu.driver.Launch;
import io.lockstep.gpu.driver.PeerMemory;
import io.lockstep.gpu.driver.Stream;
import io.lockstep.gpu.kernel.Exchange;
import io.lockstep.gpu.kernel.KernelOptions;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Everything that one rank's plan holds on its device, given back in the opposite order. */
final class PlanResources implements AutoCloseable {
    private final Driver driver;
    private final int device;
    private final List<Runnable> release = new ArrayList<>();
    private final Map<Exchange, Kernel> wholeKernels = new EnumMap<>(Exchange.class);
    private final Map<Exchange, Kernel> anyKernels = new EnumMap<>(Exchange.class);

    private @Nullable LocalKernel finish;

    PlanResources(Driver driver, int device) {
        this.driver = driver;
        this.device = device;
    }

    /** Puts the kernels of these exchanges on the device; without any, the one that does what follows a sum. */
    void load(byte[] image, KernelOptions options, Set<Exchange> exchanges) {
        Code code = load(image);
        for (Exchange exchange : exchanges) {
            anyKernels.put(exchange, driver.kernel(code, exchange.entry(false)));
            if (options.wholePacks()) {
                wholeKernels.put(exchange, driver.kernel(code, exchange.entry(true)));
            }
        }
        if (exchanges.isEmpty()) {
            finish = local(code, LocalKernel.FINISH, options);
        }
    }

    /** Puts code on the device. */
    Code load(byte[] image) {
        Code code = driver.load(device, image);
        release.add(() -> driver.unload(code));
        return code;
    }

    /** A kernel that knows no peer. */
    LocalKernel local(Code code, String name, KernelOptions options) {
        Kernel any = driver.kernel(code, name + "_any");
        return new LocalKernel(options.wholePacks() ? driver.kernel(code, name) : any, any);
    }

    /** What follows a sum, in a plan without exchanges. */
    Kernel finish(boolean whole) {
        if (finish == null) {
            throw new IllegalStateException("The plan was made for an exchange of its own.");
        }
        return finish.of(whole);
    }

    Kernel kernel(Exchange exchange, boolean whole) {
        Kernel kernel = (whole ? wholeKernels : anyKernels).get(exchange);
        if (kernel == null) {
            throw new IllegalStateException("The plan was made without " + exchange + ".");
        }
        return kernel;
    }

    /** How many blocks a multiprocessor holds of the kernel that fits the fewest. */
    int blocksPerMultiprocessor(int threads) {
        int fewest = Integer.MAX_VALUE;
        for (Map<Exchange, Kernel> kernels : List.of(wholeKernels, anyKernels)) {
            for (Kernel kernel : kernels.values()) {
                fewest = Math.min(fewest, driver.blocksPerMultiprocessor(kernel, threads));
            }
        }
        if (finish != null) {
            fewest = Math.min(fewest, driver.blocksPerMultiprocessor(finish.any(), threads));
        }
        return fewest;
    }

    Stream stream() {
        Stream stream = driver.createStream(device);
        release.add(() -> driver.destroy(stream));
        return stream;
    }

    long memory(long bytes) {
        long address = driver.allocate(device, bytes);
        release.add(() -> driver.free(device, address));
        return address;
    }

    /** Pinned memory of the host. */
    HostMemory pinned(long bytes) {
        HostMemory memory = driver.allocateHost(device, bytes);
        release.add(() -> driver.free(memory));
        return memory;
    }

    Launch launch(Stream stream, int threads) {
        return launch(stream, threads, KernelArguments.BYTES, true);
    }

    Launch launch(Stream stream, int threads, int argumentBytes, boolean overlapping) {
        Launch launch = driver.prepare(stream, threads, argumentBytes, overlapping);
        release.add(launch::close);
        return launch;
    }

    /** This rank's place in a group of the vendor's library. */
    long member(Collectives library, byte[] group, int ranks, int rank) {
        long member = library.join(device, group, ranks, rank);
        release.add(() -> library.leave(member));
        return member;
    }

    /** Memory that other devices of this process reach. */
    PeerMemory peerMemory(long bytes) {
        PeerMemory memory = driver.allocatePeerMemory(device, bytes, false);
        release.add(() -> driver.close(memory));
        return memory;
    }

    PeerRegions.Own region(PeerRegions sharing, long bytes) {
        PeerRegions.Own mine = sharing.allocate(bytes);
        release.add(() -> driver.close(mine.memory()));
        return mine;
    }

    /** Reaches the memory of every rank. Collective. */
    List<PeerMemory> reach(PeerRegions sharing, PeerRegions.Own mine) {
        try {
            List<PeerMemory> regions = sharing.exchange(mine);
            for (PeerMemory region : regions) {
                if (!region.equals(mine.memory())) {
                    release.add(() -> driver.close(region));
                }
            }
            return regions;
        } finally {
            if (mine.descriptor() != null) {
                mine.descriptor().close();
            }
        }
    }

    /** Gives all of it back, and tells of the first thing that could not be. */
    @Override
    public void close() {
        DriverException first = null;
        while (!release.isEmpty()) {
            try {
                release.removeLast().run();
            } catch (DriverException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
