package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.PortLayerException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.concurrent.ThreadLocalRandom;

/** How long to wait before asking again. */
final class Patience {
  private static final Duration FIRST = Duration.ofMillis(250);
  private static final Duration LONGEST = Duration.ofSeconds(10);

  private Patience() {}

  /** What the answer asks for with Retry-After, else twice as long each time, with jitter. */
  static Duration before(int attempt, String retryAfter) {
    String asked = retryAfter.strip();
    if (asked.matches("[0-9]{1,9}")) {
      return Duration.ofSeconds(Long.parseLong(asked));
    }
    if (!asked.isEmpty()) {
      try {
        Instant moment =
            ZonedDateTime.parse(asked, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        Duration until = Duration.between(Instant.now(), moment);
        return until.isNegative() ? Duration.ZERO : until;
      } catch (DateTimeParseException e) {
        // As good as no header.
        return backOff(attempt);
      }
    }
    return backOff(attempt);
  }

  private static Duration backOff(int attempt) {
    long longest = Math.min(LONGEST.toMillis(), FIRST.toMillis() << Math.min(attempt, 10));
    return Duration.ofMillis(ThreadLocalRandom.current().nextLong(longest / 2, longest + 1));
  }

  /** Waits; an interrupt ends it with INTERRUPTED. */
  static void wait(Duration time, String doing) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted(doing, e);
    }
  }
}
