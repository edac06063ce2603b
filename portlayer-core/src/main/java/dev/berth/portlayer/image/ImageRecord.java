package dev.berth.portlayer.image;

import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.storage.ImageConfiguration;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What the store remembers of an image beside its disk.
 *
 * @param id digest of the configuration
 * @param layers digests of the compressed blobs kept for it, the lowest first
 * @param size bytes of the disk file
 */
record ImageRecord(
    Digest id,
    List<String> repositoryDigests,
    List<String> references,
    ImageConfiguration configuration,
    List<Digest> layers,
    long size) {
  private static final int SCHEMA = 1;
  private static final JsonMapper JSON = new JsonMapper();

  ImageRecord {
    repositoryDigests = List.copyOf(repositoryDigests);
    references = List.copyOf(references);
    layers = List.copyOf(layers);
  }

  ImageRecord named(List<String> newDigests, List<String> newReferences) {
    return new ImageRecord(id, newDigests, newReferences, configuration, layers, size);
  }

  byte[] toJson() {
    ObjectNode root = JSON.createObjectNode();
    root.put("schema", SCHEMA).put("id", id.toString()).put("size", size);
    put(root, "repositoryDigests", repositoryDigests);
    put(root, "references", references);
    put(root, "layers", layers.stream().map(Digest::toString).toList());
    ObjectNode process = root.putObject("configuration");
    put(process, "entrypoint", configuration.entrypoint());
    put(process, "command", configuration.command());
    put(process, "environment", configuration.environment());
    process.put("user", configuration.user());
    process.put("workingDirectory", configuration.workingDirectory());
    configuration.stopSignal().ifPresent(signal -> process.put("stopSignal", signal));
    put(process, "volumes", configuration.volumes());
    ObjectNode labels = process.putObject("labels");
    new TreeMap<>(configuration.labels()).forEach(labels::put);
    return JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
  }

  private static void put(ObjectNode node, String name, List<String> values) {
    ArrayNode array = node.putArray(name);
    values.forEach(array::add);
  }

  /**
   * Reads what {@link #toJson()} wrote.
   *
   * @throws RuntimeException when it is anything else
   */
  static ImageRecord parse(byte[] json) {
    JsonNode root = JSON.readTree(json);
    if (root.path("schema").asInt() != SCHEMA) {
      throw new IllegalArgumentException("unknown schema of an image record");
    }
    JsonNode process = root.path("configuration");
    TreeMap<String, String> labels = new TreeMap<>();
    process
        .path("labels")
        .properties()
        .forEach(e -> labels.put(e.getKey(), e.getValue().asString()));
    ImageConfiguration configuration =
        new ImageConfiguration(
            strings(process, "entrypoint"),
            strings(process, "command"),
            strings(process, "environment"),
            process.path("user").asString(),
            process.path("workingDirectory").asString(),
            Optional.ofNullable(process.get("stopSignal")).map(JsonNode::asString),
            strings(process, "volumes"),
            labels);
    return new ImageRecord(
        Digest.parse(root.path("id").asString()),
        strings(root, "repositoryDigests"),
        strings(root, "references"),
        configuration,
        strings(root, "layers").stream().map(Digest::parse).toList(),
        root.path("size").asLong());
  }

  private static List<String> strings(JsonNode node, String name) {
    return node.path(name).values().stream().map(JsonNode::asString).toList();
  }
}
