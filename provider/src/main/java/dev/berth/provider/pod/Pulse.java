package dev.berth.provider.pod;

import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Tells of a loop whether one of its rounds takes too long. Safe for use by many threads. */
final class Pulse {
  private static final long AT_REST = Long.MIN_VALUE;

  private final LongSupplier clock;
  private volatile long began = AT_REST;

  Pulse() {
    this(System::nanoTime);
  }

  Pulse(LongSupplier clock) {
    this.clock = clock;
  }

  /** A round begins; one that was under way counts as ended. */
  void begin() {
    began = clock.getAsLong();
  }

  /** The loop waits for its next round, as long as it likes. */
  void end() {
    began = AT_REST;
  }

  /** How long the round has taken that is under way, when that is longer than it may. */
  Optional<Duration> stuck(Duration patience) {
    long since = began;
    if (since == AT_REST) {
      return Optional.empty();
    }
    Duration busy = Duration.ofNanos(clock.getAsLong() - since);
    return Optional.of(busy).filter(time -> time.compareTo(patience) > 0);
  }
}
