package dev.berth.provider.lifecycle;

import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.NotStarted;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.provider.lifecycle.PodMemory.Rejection;
import io.fabric8.kubernetes.api.model.HostIP;
import io.fabric8.kubernetes.api.model.PodIP;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;

/** The part of a pod's status that a kubelet owns, as it follows from what is seen. */
final class StatusBuilder {
  private final Facts facts;
  private final PodMemory memory;
  private final Observation seen;

  private StatusBuilder(Facts facts, PodMemory memory, Observation seen) {
    this.facts = facts;
    this.memory = memory;
    this.seen = seen;
  }

  /** Empty when the status is to be left as it is. */
  static Optional<PodStatus> build(Facts facts, PodMemory memory, Observation seen) {
    StatusBuilder builder = new StatusBuilder(facts, memory, seen);
    if (memory.rejection().isPresent()) {
      return Optional.of(builder.rejected(memory.rejection().get()));
    }
    boolean nothingToTell = facts.group().isEmpty() && memory.verdict().isEmpty();
    if (nothingToTell && (facts.deleting() || facts.terminalAtServer())) {
      return Optional.empty();
    }
    return Optional.of(builder.build());
  }

  static String time(Instant time) {
    return time.truncatedTo(ChronoUnit.SECONDS).toString();
  }

  /** As the kubelet's rejectPod: no container was ever made, so none is listed. */
  private PodStatus rejected(Rejection why) {
    return base()
        .withPhase("Failed")
        .withReason(why.reason())
        .withMessage("Pod was rejected: " + why.message())
        .build();
  }

  private PodStatusBuilder base() {
    return new PodStatusBuilder()
        .withStartTime(startTime())
        .withQosClass(seen.pod().getStatus().getQosClass())
        .withObservedGeneration(seen.pod().getMetadata().getGeneration());
  }

  private String startTime() {
    String previous = seen.previous().getStartTime();
    return previous == null ? time(seen.memory().firstSeen()) : previous;
  }

  private PodStatus build() {
    String phase = phase();
    PodStatusBuilder status = base().withPhase(phase);
    memory
        .verdict()
        .filter(_ -> "Failed".equals(phase))
        .ifPresentOrElse(
            why -> status.withReason(why.reason()).withMessage(why.message()),
            () ->
                status
                    .withReason(seen.previous().getReason())
                    .withMessage(seen.previous().getMessage()));
    status.withHostIP(seen.hostAddresses().getFirst());
    status.withHostIPs(seen.hostAddresses().stream().map(HostIP::new).toList());
    addresses(status);
    status.withConditions(new ConditionsBuilder(facts, phase, sandboxReady(), seen).build());
    status.withContainerStatuses(new ContainerStatusFactory(facts, memory, seen).build());
    return status.build();
  }

  private void addresses(PodStatusBuilder status) {
    List<String> addresses =
        facts.vm().stream()
            .flatMap(vm -> vm.spec().nics().stream())
            .map(NicAttachment::primaryAddress)
            .toList();
    if (addresses.isEmpty()) {
      status.withPodIP(seen.previous().getPodIP()).withPodIPs(seen.previous().getPodIPs());
    } else {
      status.withPodIP(addresses.getFirst());
      status.withPodIPs(addresses.stream().map(PodIP::new).toList());
    }
  }

  private boolean sandboxReady() {
    return facts.vm().filter(vm -> vm.power() == PowerState.ON && vm.ready()).isPresent();
  }

  private String phase() {
    for (String known :
        new String[] {seen.previous().getPhase(), seen.pod().getStatus().getPhase()}) {
      if (Facts.terminal(known)) {
        return known;
      }
    }
    return switch (facts.process()) {
      case Running _ -> "Running";
      case NotStarted _ when memory.verdict().isPresent() -> "Failed";
      case NotStarted _ when facts.deleting() -> "Failed";
      case NotStarted _ -> facts.everStarted() ? "Running" : "Pending";
      case Exited exited -> exitedPhase(exited);
    };
  }

  private String exitedPhase(Exited exited) {
    if (memory.verdict().isPresent()) {
      return "Failed";
    }
    if (!facts.deleting() && (facts.restarts(exited) || facts.imageChanged())) {
      return "Running";
    }
    return exited.exitCode() == 0 ? "Succeeded" : "Failed";
  }
}
