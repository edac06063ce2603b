package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.vsphere.vim.AnyValue;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.VimJson;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * An object of vCenter with what is followed of it, as last heard.
 *
 * @param properties by their paths; unset ones are missing
 */
public record ManagedObject(ManagedObjectReference reference, Map<String, JsonNode> properties) {
  public ManagedObject {
    properties = Map.copyOf(properties);
  }

  /** A scalar, an enumeration's value as text, or a data object. */
  public <T> Optional<T> get(String path, Class<T> type) {
    return Optional.ofNullable(properties.get(path))
        .map(value -> VimJson.read(value, AnyValue.class).as(type));
  }

  /** The elements of an array; none when it is unset. */
  public <T> List<T> list(String path, Class<T> type) {
    JsonNode value = properties.get(path);
    return value == null ? List.of() : VimJson.read(value, AnyValue.class).list(type);
  }
}
