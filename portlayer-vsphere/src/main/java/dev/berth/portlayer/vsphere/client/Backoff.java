package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** The pauses between attempts: each up to twice as long as the one before, with a random part. */
final class Backoff {
  private static final Duration FIRST = Duration.ofMillis(100);
  private static final Duration LONGEST = Duration.ofSeconds(5);

  private final long end;
  private Duration next = FIRST;

  /**
   * @param patience after which there is no further attempt
   */
  Backoff(Duration patience) {
    end = System.nanoTime() + patience.toNanos();
  }

  void reset() {
    next = FIRST;
  }

  /**
   * Sleeps before the next attempt.
   *
   * @param atLeast what the server asked for
   * @return false, at once, when the time for attempts would be over
   */
  boolean pause(Duration atLeast) {
    Duration pause =
        next.dividedBy(2).plusNanos(ThreadLocalRandom.current().nextLong(next.toNanos() / 2));
    pause = pause.compareTo(atLeast) < 0 ? atLeast : pause;
    if (end - System.nanoTime() < pause.toNanos()) {
      return false;
    }
    next = next.multipliedBy(2).compareTo(LONGEST) > 0 ? LONGEST : next.multipliedBy(2);
    try {
      Thread.sleep(pause);
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("waiting to ask vCenter again", e);
    }
    return true;
  }
}
