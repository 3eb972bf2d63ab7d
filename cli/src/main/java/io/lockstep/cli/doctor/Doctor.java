package io.lockstep.cli.doctor;

import io.lockstep.cli.console.CommandFailure;
import io.lockstep.cli.machine.Machine;
import io.lockstep.cli.ranks.RankGroup;
import io.lockstep.cli.ranks.RanksFailedException;
import io.lockstep.core.Backend;
import io.lockstep.core.Backends;
import io.lockstep.core.GroupSpec;
import io.lockstep.core.LockstepException;
import io.lockstep.core.Readiness;
import io.lockstep.core.cpu.CpuDiagnostics;
import io.lockstep.gpu.collective.DeviceExamination;
import io.lockstep.gpu.driver.DeviceBackend;
import io.lockstep.gpu.driver.Driver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/** Looks at everything that Lockstep needs. */
public final class Doctor {
    private static final int WANTED_VECTOR_BITS = 128;
    private static final int FEATURE = 25;
    private static final long LITTLE_MEMORY = 4L << 30;
    private static final int ELEMENTS = 4096;
    private static final int HEAP_MEGABYTES = 128;

    private Doctor() {}

    /** The findings, in the order of a person's questions. */
    public static List<Finding> examine() {
        List<Finding> findings = new ArrayList<>();
        findings.add(java());
        findings.add(Finding.ok("system", Machine.system()));
        findings.add(cores());
        findings.add(memory());
        findings.add(vectors());
        for (Backend backend : Backends.all()) {
            String subject = "backend " + backend.name();
            findings.add(
                    switch (backend.probe()) {
                        case Readiness.Ready ready -> Finding.ok(subject, ready.detail());
                        // Only the ranks of the host are there on every machine.
                        case Readiness.NotReady notReady ->
                            backend.name().equals("cpu")
                                    ? Finding.missing(subject, notReady.reason())
                                    : Finding.warning(subject, notReady.reason());
                    });
            if (backend instanceof DeviceBackend devices) {
                findings.addAll(devices(devices));
            }
        }
        findings.add(AmdKernels.examine());
        findings.add(rendezvous());
        findings.add(transfer("ranks as threads", false));
        findings.add(transfer("ranks as processes", true));
        return findings;
    }

    /** What a backend's devices can do; nothing where there are none, which the line of the backend says. */
    private static List<Finding> devices(DeviceBackend backend) {
        Driver driver = backend.driver();
        if (!(driver.probe() instanceof Readiness.Ready)) {
            return List.of();
        }
        return DeviceExamination.of(driver).stream()
                .map(examined -> {
                    String subject = backend.name() + " " + examined.subject();
                    return switch (examined.readiness()) {
                        case Readiness.Ready ready -> Finding.ok(subject, ready.detail());
                        case Readiness.NotReady notReady -> Finding.warning(subject, notReady.reason());
                    };
                })
                .toList();
    }

    private static Finding java() {
        int feature = Runtime.version().feature();
        return feature == FEATURE
                ? Finding.ok("java", Machine.java())
                : Finding.warning(
                        "java",
                        Machine.java() + ". Lockstep is built for Java " + FEATURE + ": set LOCKSTEP_JAVA to one.");
    }

    private static Finding cores() {
        int cores = Machine.cores();
        String text = cores + " cores, " + Machine.processor();
        return cores >= 2
                ? Finding.ok("cores", text)
                : Finding.warning("cores", text + ". Ranks have to take turns on it: right, but slow.");
    }

    private static Finding memory() {
        OptionalLong available = Machine.memoryAvailable();
        if (available.isEmpty()) {
            return Finding.warning("memory", "Unknown on this system.");
        }
        String text = Machine.bytes(available.getAsLong()) + " free"
                + (Machine.memoryTotal().isPresent()
                        ? " of " + Machine.bytes(Machine.memoryTotal().getAsLong())
                        : "");
        return available.getAsLong() >= LITTLE_MEMORY
                ? Finding.ok("memory", text)
                : Finding.warning("memory", text + ". 'verify' skips the largest shapes below about 4 GiB.");
    }

    private static Finding vectors() {
        int bits = CpuDiagnostics.vectorBits();
        return bits >= WANTED_VECTOR_BITS
                ? Finding.ok("vectors", bits + " bits, by the Vector API")
                : Finding.warning(
                        "vectors",
                        "The Vector API is not used, so every kernel is scalar: start Java with "
                                + "--add-modules jdk.incubator.vector.");
    }

    private static Finding rendezvous() {
        String runtime = System.getenv("XDG_RUNTIME_DIR");
        boolean given = runtime != null && !runtime.isBlank();
        Path directory = Path.of(given ? runtime : System.getProperty("java.io.tmpdir", "/tmp"));
        String text = directory + (given ? " (XDG_RUNTIME_DIR)" : " (XDG_RUNTIME_DIR is not set)");
        return Files.isDirectory(directory) && Files.isWritable(directory)
                ? Finding.ok("rendezvous", "Ranks meet in a folder of this user under " + text)
                : Finding.missing(
                        "rendezvous", text + " cannot be written to: set XDG_RUNTIME_DIR to a folder of this user.");
    }

    /** Two ranks meet, add something and send a flag to and fro. */
    private static Finding transfer(String subject, boolean asProcesses) {
        GroupSpec spec = GroupSpec.of("doctor-" + HexFormat.of().toHexDigits(System.nanoTime()), 0, 2)
                .withThreads(1)
                .withJoinTimeout(Duration.ofSeconds(30));
        try (RankGroup<DoctorOrder, DoctorReport> group =
                RankGroup.start(DoctorWorker.ROLE, spec, asProcesses, HEAP_MEGABYTES)) {
            DoctorOrder order = new DoctorOrder(ELEMENTS);
            // Twice: the first time everything is loaded and compiled.
            group.ask(order);
            List<DoctorReport> reports = group.ask(order);
            if (!reports.stream().allMatch(DoctorReport::right)) {
                return Finding.missing(
                        subject, "Two ranks met, and the sum they made is wrong: run 'lockstep verify'.");
            }
            return Finding.ok(
                    subject,
                    String.format(
                            Locale.ROOT,
                            "Two ranks met and added %d numbers; a flag's round trip takes %.0f ns",
                            ELEMENTS,
                            reports.getFirst().roundTripNanos()));
        } catch (LockstepException | RanksFailedException | CommandFailure failure) {
            return Finding.missing(subject, String.valueOf(failure.getMessage()));
        }
    }
}
