package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.storage.ImageConfiguration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** Reads an image's configuration blob. */
final class ConfigurationReader {
  private ConfigurationReader() {}

  static ImageConfiguration read(JsonNode root) {
    JsonNode config = root.path("config");
    String stopSignal = config.path("StopSignal").asString("");
    Map<String, String> labels = new LinkedHashMap<>();
    config
        .path("Labels")
        .properties()
        .forEach(e -> labels.put(e.getKey(), e.getValue().asString("")));
    return new ImageConfiguration(
        strings(config.path("Entrypoint")),
        strings(config.path("Cmd")),
        strings(config.path("Env")),
        config.path("User").asString(""),
        config.path("WorkingDir").asString(""),
        stopSignal.isEmpty() ? Optional.empty() : Optional.of(stopSignal),
        List.copyOf(config.path("Volumes").propertyNames()),
        labels);
  }

  static List<Digest> diffIds(JsonNode root) {
    List<Digest> diffIds = new ArrayList<>();
    try {
      for (String text : strings(root.path("rootfs").path("diff_ids"))) {
        diffIds.add(Digest.parse(text));
      }
    } catch (IllegalArgumentException e) {
      throw new PortLayerException(
          Code.CORRUPT, "malformed image configuration: diff_ids: " + e.getMessage(), e);
    }
    return diffIds;
  }

  private static List<String> strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    if (array.isString()) {
      strings.add(array.asString()); // Some old builders write a lone string.
    }
    for (JsonNode element : array.isArray() ? array : List.<JsonNode>of()) {
      strings.add(element.asString(""));
    }
    return strings;
  }
}
