package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.vsphere.vim.AnyValue;
import dev.berth.portlayer.vsphere.vim.Collector.DynamicProperty;
import dev.berth.portlayer.vsphere.vim.Collector.ObjectContent;
import dev.berth.portlayer.vsphere.vim.Collector.ObjectSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyFilterSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertySpec;
import dev.berth.portlayer.vsphere.vim.Collector.RetrieveOptions;
import dev.berth.portlayer.vsphere.vim.Collector.RetrieveResult;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.VimJson;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
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

  /**
   * Some properties of one object, now; those that are unset, or that the user may not see, are
   * missing, and all of them for an object whose creation has not ended.
   *
   * @throws VimFault ManagedObjectNotFound, …
   */
  public static ManagedObject read(
      VimClient client, ManagedObjectReference object, List<String> properties) {
    PropertyFilterSpec filter =
        new PropertyFilterSpec(
            List.of(new PropertySpec(object.type(), properties)), List.of(ObjectSpec.of(object)));
    return readAll(client, filter).getOrDefault(object, new ManagedObject(object, Map.of()));
  }

  /** As {@link #read}, of all objects that a filter selects, in the server's order. */
  public static Map<ManagedObjectReference, ManagedObject> readAll(
      VimClient client, PropertyFilterSpec filter) {
    Map<ManagedObjectReference, ManagedObject> found = new LinkedHashMap<>();
    ManagedObjectReference collector = client.content().propertyCollector();
    Optional<RetrieveResult> page =
        client.find(
            collector,
            new Methods.RetrievePropertiesEx(List.of(filter), new RetrieveOptions(null)));
    while (page.isPresent()) {
      page.get().objects().forEach(content -> found.put(content.obj(), of(content)));
      String token = page.get().token();
      page =
          token == null
              ? Optional.empty()
              : client.find(collector, new Methods.ContinueRetrievePropertiesEx(token));
    }
    return found;
  }

  private static ManagedObject of(ObjectContent content) {
    return new ManagedObject(
        content.obj(),
        content.propSet().stream()
            .collect(Collectors.toMap(DynamicProperty::name, DynamicProperty::val, (a, b) -> b)));
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
