package dev.berth.portlayer.compute;

import dev.berth.portlayer.Identifiers;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
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

  /**
   * Says that processes are for members of this group, each for another one.
   *
   * @throws PortLayerException NOT_FOUND, INVALID_ARGUMENT
   */
  public void require(List<InitialProcess> initial) {
    Set<String> left = new HashSet<>(members.stream().map(ContainerVmSpec::id).toList());
    for (InitialProcess process : initial) {
      String wanted = process.containerVmId();
      if (members.stream().noneMatch(member -> member.id().equals(wanted))) {
        throw new PortLayerException(
            Code.NOT_FOUND, "group %s has no containerVM %s".formatted(id, wanted));
      }
      if (!left.remove(wanted)) {
        throw new PortLayerException(
            Code.INVALID_ARGUMENT, "two processes are for the containerVM " + wanted);
      }
    }
  }
}
