package dev.berth.cli.settings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** A configuration file in YAML or JSON: the flags' names without dashes, and their values. */
final class ConfigurationFile {
  private ConfigurationFile() {}

  /** The file's values by name; what is wrong goes to {@code problems}. */
  static Map<String, List<String>> read(Path file, Problems problems) {
    try {
      JsonNode root = new YAMLMapper().readTree(Files.readString(file));
      if (root.isMissingNode() || root.isNull()) {
        return Map.of();
      }
      if (!root.isObject()) {
        problems.add("config", "%s: must hold lines of the form NAME: VALUE".formatted(file));
        return Map.of();
      }
      return values(root, problems);
    } catch (NoSuchFileException e) {
      problems.add("config", "%s: there is no such file".formatted(file));
    } catch (IOException e) {
      problems.add("config", "%s: cannot be read: %s".formatted(file, e.getMessage()));
    } catch (JacksonException e) {
      problems.add("config", "%s: %s".formatted(file, position(e)));
    }
    return Map.of();
  }

  /** Without the line itself, which may hold anything. */
  private static String position(JacksonException failure) {
    return "is neither YAML nor JSON at line %d, column %d"
        .formatted(failure.getLocation().getLineNr(), failure.getLocation().getColumnNr());
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
