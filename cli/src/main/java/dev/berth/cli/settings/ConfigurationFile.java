package dev.berth.cli.settings;

import dev.berth.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** A configuration file in YAML or JSON: the flags' names without dashes, and their values. */
final class ConfigurationFile {
  private ConfigurationFile() {}

  /**
   * The file's values by name; what is wrong with them goes to {@code problems}.
   *
   * @throws CommandFailure when it cannot be read at all, so that nothing is said of what it might
   *     have held
   */
  static Map<String, List<String>> read(Path file, Problems problems) {
    try {
      JsonNode root = Documents.read(file);
      return root.isMissingNode() || root.isNull() ? Map.of() : values(root, problems);
    } catch (IOException e) {
      throw CommandFailure.usage("config: " + e.getMessage());
    }
  }

  private static Map<String, List<String>> values(JsonNode root, Problems problems) {
    Map<String, List<String>> values = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> property : root.properties()) {
      String name = property.getKey();
      JsonNode value = property.getValue();
      List<String> texts = new ArrayList<>();
      if (value.isArray()) {
        value.values().forEach(item -> add(name, item, texts, problems));
      } else if (value.isObject()) {
        value
            .properties()
            .forEach(entry -> texts.add(entry.getKey() + "=" + entry.getValue().asString("")));
      } else {
        add(name, value, texts, problems);
      }
      values.put(name, texts);
    }
    return values;
  }

  private static void add(String name, JsonNode value, List<String> texts, Problems problems) {
    if (value.isValueNode() && !value.isNull()) {
      texts.add(value.asString());
    } else {
      problems.add(name, "must be a value or a list of values");
    }
  }
}
