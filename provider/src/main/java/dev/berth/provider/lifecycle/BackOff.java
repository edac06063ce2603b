package dev.berth.provider.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The kubelet's back-off: none before the first failure, then 10 seconds doubling to 5 minutes,
 * forgotten after 10 quiet minutes.
 *
 * @param delay how long to wait after a failure
 * @param updatedAt when the delay was chosen
 */
public record BackOff(Duration delay, Instant updatedAt) {
  static final Duration INITIAL = Duration.ofSeconds(10);
  static final Duration MAXIMUM = Duration.ofMinutes(5);
  private static final Duration FORGOTTEN = MAXIMUM.multipliedBy(2);

  /** When to try again after a failure at {@code failedAt}; empty when at once. */
  static Optional<Instant> until(Optional<BackOff> backOff, Instant failedAt, Instant now) {
    return backOff
        .filter(entry -> !entry.forgottenAt(failedAt))
        .map(entry -> failedAt.plus(entry.delay))
        .filter(now::isBefore);
  }

  /** What applies after another try, following a failure at {@code failedAt}. */
  static BackOff next(Optional<BackOff> backOff, Instant failedAt, Instant now) {
    Duration delay =
        backOff
            .filter(entry -> !entry.forgottenAt(failedAt))
            .map(entry -> entry.delay.multipliedBy(2))
            .filter(doubled -> doubled.compareTo(MAXIMUM) < 0)
            .orElseGet(
                () ->
                    backOff.filter(entry -> !entry.forgottenAt(failedAt)).isPresent()
                        ? MAXIMUM
                        : INITIAL);
    return new BackOff(delay, now);
  }

  private boolean forgottenAt(Instant failedAt) {
    return Duration.between(updatedAt, failedAt).compareTo(FORGOTTEN) > 0;
  }
}
