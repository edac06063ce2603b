package dev.berth.cli.settings;

import dev.berth.cli.CommandFailure;
import java.util.ArrayList;
import java.util.List;

/** Everything that is wrong with a configuration, so that it is told all at once. */
public final class Problems {
  private final List<String> problems = new ArrayList<>();

  /**
   * Adds one.
   *
   * @param field the setting's name
   * @param problem what is wrong with it and how to mend it
   */
  public void add(String field, String problem) {
    problems.add(field + ": " + problem);
  }

  /** Fails when there was any. */
  public void raise() {
    if (!problems.isEmpty()) {
      throw CommandFailure.usage(String.join("\n", problems));
    }
  }
}
