package dev.berth.portlayer.compute;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** A group as observed, its containerVMs in the order of the specification. */
public record Group(GroupSpec spec, Instant createdAt, List<ContainerVm> members) {
  public Group {
    members = List.copyOf(members);
  }

  public Optional<ContainerVm> member(String id) {
    return members.stream().filter(member -> member.spec().id().equals(id)).findFirst();
  }
}
