package dev.berth.portlayer.image.content;

import java.time.Duration;

/**
 * A moment by which something must be over, on the monotonic clock.
 *
 * @param nanos as {@link System#nanoTime()}
 */
public record Deadline(long nanos) {
  /** The moment {@code duration} from now; more than a century counts as a century. */
  public static Deadline after(Duration duration) {
    Duration capped =
        duration.compareTo(Duration.ofDays(36_500)) > 0 ? Duration.ofDays(36_500) : duration;
    return new Deadline(System.nanoTime() + capped.toNanos());
  }

  /** What is left; zero once it has passed. */
  public Duration remaining() {
    return Duration.ofNanos(Math.max(0, nanos - System.nanoTime()));
  }

  public boolean expired() {
    return nanos - System.nanoTime() <= 0;
  }

  public Deadline later(Deadline other) {
    return nanos - other.nanos >= 0 ? this : other;
  }
}
