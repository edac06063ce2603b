package dev.berth.portlayer.random;

import java.security.SecureRandom;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks something for many random inputs: those of some seeds which are the same in every run, and
 * those of one fresh seed, which is logged. A failure names the seed and the case.
 */
public final class RandomCases {
  private static final Logger LOG = LoggerFactory.getLogger(RandomCases.class);
  private static final List<Long> FIXED_SEEDS = List.of(1L, 2L, 3L);

  private RandomCases() {}

  /** Draws one input, and fails when what it checks does not hold for it. */
  @FunctionalInterface
  public interface Check {
    void of(RandomValues values) throws Exception;
  }

  /** Runs the check on the given number of inputs from each seed. */
  public static void check(int casesPerSeed, Check check) {
    for (long seed : FIXED_SEEDS) {
      check(seed, casesPerSeed, check);
    }
    long fresh = new SecureRandom().nextLong();
    LOG.info("The fresh seed of this run is {}", fresh);
    check(fresh, casesPerSeed, check);
  }

  private static void check(long seed, int cases, Check check) {
    RandomValues values = new RandomValues(seed);
    for (int number = 1; number <= cases; number++) {
      try {
        check.of(values);
      } catch (Exception | AssertionError failure) {
        throw new AssertionError("does not hold for case " + number + " of seed " + seed, failure);
      }
    }
  }
}
