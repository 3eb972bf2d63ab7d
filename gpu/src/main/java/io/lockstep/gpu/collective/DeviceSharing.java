package io.lockstep.gpu.collective;

import io.lockstep.core.UsageException;
import io.lockstep.core.planning.Agreement;
import io.lockstep.gpu.driver.DeviceInfo;
import java.util.List;
import java.util.stream.IntStream;

/** Which ranks use one device together. */
final class DeviceSharing {
    private static final String VARIABLE = "LOCKSTEP_SHARE_DEVICES";

    private DeviceSharing() {}

    /** How many ranks use this rank's device. Collective. */
    static int agree(DeviceInfo device, int rank, Agreement agreement) {
        boolean allowed = "1".equals(System.getenv(VARIABLE));
        List<String> all = agreement.gather("the devices of the ranks", device.id());
        List<Integer> sharers = IntStream.range(0, all.size())
                .filter(peer -> all.get(peer).equals(device.id()))
                .boxed()
                .toList();
        boolean shared = all.stream().distinct().count() < all.size();
        if (shared && !allowed) {
            throw new UsageException("Rank " + rank + ": " + all.size() + " ranks have "
                    + all.stream().distinct().count()
                    + " devices, and a rank expects one of its own. Start fewer ranks,"
                    + " make more devices visible, or set " + VARIABLE + "=1 to try the code without the speed.");
        }
        return sharers.size();
    }
}
