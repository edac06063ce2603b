package dev.berth.portlayer.random;

import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Random input of one seed. Both ends of a range come more often than what lies between. */
public final class RandomValues {
  private static final int ONE_END_IN = 10;
  private static final String LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

  private final Random random;

  RandomValues(long seed) {
    random = new Random(seed);
  }

  /** A number of the range, both ends included. */
  public int between(int least, int most) {
    return switch (random.nextInt(2 * ONE_END_IN)) {
      case 0 -> least;
      case 1 -> most;
      default -> random.nextInt(least, most + 1);
    };
  }

  /** One of the given values. */
  public <T> T of(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }

  /** Values of the given kind, as many as a number of the range says. */
  public <T> List<T> list(int least, int most, Supplier<T> value) {
    return Stream.generate(value).limit(between(least, most)).toList();
  }

  /** ASCII letters, up to that many. */
  public String letters(int most) {
    StringBuilder letters = new StringBuilder();
    for (int left = between(0, most); left > 0; left--) {
      letters.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
    }
    return letters.toString();
  }
}
