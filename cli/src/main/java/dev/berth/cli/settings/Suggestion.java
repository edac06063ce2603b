package dev.berth.cli.settings;

import java.util.Comparator;
import java.util.List;

/** Guesses which name was meant. */
final class Suggestion {
  private static final int NEAR = 3;

  private Suggestion() {}

  /** {@code ; did you mean …?}, or empty when nothing is near. */
  static String of(String given, List<String> names) {
    return names.stream()
        .min(Comparator.comparingInt(name -> distance(given, name)))
        .filter(name -> distance(given, name) <= NEAR)
        .map("; did you mean %s?"::formatted)
        .orElse("");
  }

  /** How many letters must change to make one out of the other. */
  private static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j <= other.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= other.length(); j++) {
        int above = row[j];
        int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, Math.min(above, row[j - 1]) + 1);
        diagonal = above;
      }
    }
    return row[other.length()];
  }
}
