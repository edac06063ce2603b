package dev.berth.portlayer.compute;

import dev.berth.portlayer.Identifiers;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * A group of containerVMs that lives as one: created, placed and destroyed together.
 *
 * @param id the caller's identity for the group, unique in the VCH
 * @param name shown to administrators; need not be unique
 * @param labels the personality's own words, kept with the group
 */
public record GroupSpec(
    String id,
    String name,
    Placement placement,
    List<ContainerVmSpec> members,
    Map<String, String> labels) {
  public GroupSpec {
    Identifiers.check("group id", id);
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(placement, "placement");
    members = List.copyOf(members);
    labels = Map.copyOf(labels);
    if (members.isEmpty()) {
      throw new IllegalArgumentException("a group has at least one containerVM");
    }
    Set<String> ids = new HashSet<>();
    for (ContainerVmSpec member : members) {
      if (!ids.add(member.id())) {
        throw new IllegalArgumentException("two containerVMs have the id " + member.id());
      }
    }
  }
}
