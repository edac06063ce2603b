package dev.berth.cli.settings;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The flags of a command that takes each as text, a list even where one value is allowed, so that
 * they are checked together with a configuration file's values.
 */
public final class Flags {
  private Flags() {}

  /** The settings of a command whose flags are the only ones there are. */
  public static Settings settings(CommandSpec spec, Optional<Path> config, Problems problems) {
    return settings(spec, config, List.of(), Map.of(), problems);
  }

  /**
   * The settings of a command.
   *
   * @param others settings that a file may hold for other commands
   * @param more what the command line said otherwise than by flags
   */
  public static Settings settings(
      CommandSpec spec,
      Optional<Path> config,
      List<String> others,
      Map<String, List<String>> more,
      Problems problems) {
    List<String> names = new ArrayList<>(names(spec));
    names.addAll(others);
    names.addAll(more.keySet());
    Map<String, List<String>> given = new LinkedHashMap<>(more);
    given.values().removeIf(List::isEmpty);
    for (OptionSpec option : spec.options()) {
      if (option.isMultiValue() && option.getValue() instanceof List<?> list && !list.isEmpty()) {
        given.put(name(option), list.stream().map(String::valueOf).toList());
      }
    }
    return new Settings(names, given, config, problems);
  }

  /** The settings that a command's flags give. */
  public static List<String> names(CommandSpec spec) {
    return spec.options().stream().filter(OptionSpec::isMultiValue).map(Flags::name).toList();
  }

  private static String name(OptionSpec option) {
    return option.longestName().substring(2);
  }
}
