package dev.berth.portlayer.vsphere.vim;

import com.fasterxml.jackson.annotation.JsonCreator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.annotation.JsonSerialize;
import tools.jackson.databind.node.ObjectNode;

/**
 * A data object of a type that Berth has no record for, kept as it came: a newer release's device,
 * any fault. It stands wherever a type of the API is open to subtypes.
 */
@JsonSerialize(using = GenericObjectSerializer.class)
public record GenericObject(ObjectNode json)
    implements VirtualDevices.VirtualDevice,
        VirtualDevices.Backing,
        Clusters.ClusterRuleInfo,
        Clusters.ClusterGroupInfo {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public GenericObject {}

  /** The type's name; empty when none was given. */
  public String typeName() {
    return text("_typeName");
  }

  /** A property as text; empty when it is unset or no scalar. */
  public String text(String property) {
    JsonNode value = json.path(property);
    return value.isValueNode() ? value.asString("") : "";
  }

  @Override
  public Integer key() {
    return json.path("key").asInt(0);
  }
}
