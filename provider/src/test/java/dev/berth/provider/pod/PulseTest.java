package dev.berth.provider.pod;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PulseTest {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final AtomicLong clock = new AtomicLong(-5);
  private final Pulse pulse = new Pulse(clock::get);

  private void pass(Duration time) {
    clock.addAndGet(time.toNanos());
  }

  @Test
  void oneThatWaitsIsNeverStuck() {
    pass(Duration.ofDays(1));
    assertEquals(Optional.empty(), pulse.stuck(PATIENCE));
    pulse.begin();
    pulse.end();
    pass(Duration.ofDays(1));
    assertEquals(Optional.empty(), pulse.stuck(PATIENCE));
  }

  @Test
  void oneThatWorksTooLongIs() {
    pulse.begin();
    pass(PATIENCE);
    assertEquals(Optional.empty(), pulse.stuck(PATIENCE));
    pass(Duration.ofSeconds(1));
    assertEquals(Optional.of(PATIENCE.plusSeconds(1)), pulse.stuck(PATIENCE));
    pulse.begin();
    assertEquals(Optional.empty(), pulse.stuck(PATIENCE));
  }
}
