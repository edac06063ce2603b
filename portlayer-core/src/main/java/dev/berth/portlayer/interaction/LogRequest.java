package dev.berth.portlayer.interaction;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Which lines of a container's log.
 *
 * @param attempt the attempt whose lines are wanted; empty is the last one
 * @param follow whether to wait for more until the attempt is over
 * @param since only lines at or after this time
 * @param tail only so many of the last lines that are there when the reading begins
 * @param stream only lines of one stream
 */
public record LogRequest(
    OptionalInt attempt,
    boolean follow,
    Optional<Instant> since,
    OptionalLong tail,
    Optional<LogLine.Stream> stream) {
  /** Everything the last attempt has written so far. */
  public static LogRequest all() {
    return new LogRequest(
        OptionalInt.empty(), false, Optional.empty(), OptionalLong.empty(), Optional.empty());
  }
}
