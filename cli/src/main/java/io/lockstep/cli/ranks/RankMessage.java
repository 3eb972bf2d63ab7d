package io.lockstep.cli.ranks;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A line from a rank's process.
 *
 * @param done how much of the order is done
 * @param report the report of the role, when the order is done
 * @param failure why it cannot be done
 */
public record RankMessage(
        double done, @Nullable JsonNode report, @Nullable RankFailure failure) {}
