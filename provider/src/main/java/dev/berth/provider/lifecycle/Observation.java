package dev.berth.provider.lifecycle;

import dev.berth.portlayer.compute.Group;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Everything the machine looks at.
 *
 * @param pod the pod as it was last seen
 * @param gone whether the API server has it no more
 * @param previous the status as it stands at the API server, so far as this process knows
 * @param group its containerVMs
 * @param hostAddresses the node's addresses
 * @param volumeRefresh how often volumes are looked at again
 */
public record Observation(
    Pod pod,
    boolean gone,
    PodStatus previous,
    Optional<Group> group,
    PodMemory memory,
    List<String> hostAddresses,
    Duration volumeRefresh,
    Instant now) {
  public Observation {
    hostAddresses = List.copyOf(hostAddresses);
  }
}
