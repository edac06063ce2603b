package dev.berth.cli.settings;

import dev.berth.cli.CommandFailure;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** Everything that is wrong with a configuration, so that it is told all at once. */
public final class Problems {
  private final Set<String> problems = new LinkedHashSet<>();
  private final Map<String, Path> origins = new HashMap<>();

  /** Notes that a setting's value came from a file, which its problems then name. */
  void from(Path file, String field) {
    origins.put(field, file);
  }

  /**
   * Adds one.
   *
   * @param field the setting's name
   * @param problem what is wrong with it and how to mend it
   */
  public void add(String field, String problem) {
    Path origin = origins.get(field);
    problems.add((origin == null ? "" : origin + ": ") + field + ": " + problem);
  }

  /** Fails when there was any. */
  public void raise() {
    if (!problems.isEmpty()) {
      throw CommandFailure.usage(String.join("\n", problems));
    }
  }
}
