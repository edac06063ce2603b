package dev.berth.provider.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** What holds for every sequence of failures. */
class BackOffProperties {
  private static final Instant START = Instant.parse("2026-11-23T12:00:00Z");

  @Property(tries = 200)
  void doublesFromTenSecondsToFiveMinutes(@ForAll @IntRange(min = 1, max = 30) int failures) {
    Optional<BackOff> backOff = Optional.empty();
    Instant now = START;
    for (int count = 0; count < failures; count++) {
      backOff = Optional.of(BackOff.next(backOff, now, now));
      now = now.plus(backOff.get().delay());
    }
    long expected = failures > 5 ? 300 : 10L << (failures - 1);
    assertEquals(Duration.ofSeconds(expected), backOff.orElseThrow().delay());
  }

  @Property(tries = 200)
  void neverWaitsLongerThanItsDelay(
      @ForAll @IntRange(min = 0, max = 2000) int pause,
      @ForAll @IntRange(min = 0, max = 2000) int later) {
    BackOff backOff = BackOff.next(Optional.empty(), START, START);
    Instant failedAt = START.plusSeconds(pause);
    Instant now = failedAt.plusSeconds(later);
    BackOff.until(Optional.of(backOff), failedAt, now)
        .ifPresent(
            until -> {
              assertTrue(until.isAfter(now));
              assertTrue(Duration.between(failedAt, until).compareTo(backOff.delay()) <= 0);
            });
  }
}
