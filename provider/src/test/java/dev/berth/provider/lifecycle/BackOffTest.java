package dev.berth.provider.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.random.RandomCases;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("The pause before a restart")
class BackOffTest {
  private static final Instant START = Instant.parse("2026-11-23T12:00:00Z");

  @Test
  @DisplayName("doubles from ten seconds to five minutes")
  void doublesFromTenSecondsToFiveMinutes() {
    Optional<BackOff> backOff = Optional.empty();
    Instant now = START;
    for (int failures = 1; failures <= 30; failures++) {
      backOff = Optional.of(BackOff.next(backOff, now, now));
      now = now.plus(backOff.get().delay());
      long expected = failures > 5 ? 300 : 10L << (failures - 1);
      assertEquals(Duration.ofSeconds(expected), backOff.get().delay());
    }
  }

  @Test
  @DisplayName("is never longer than its delay")
  void neverWaitsLongerThanItsDelay() {
    RandomCases.check(200, values -> checkDelay(values.between(0, 2000), values.between(0, 2000)));
  }

  private static void checkDelay(int pause, int later) {
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
