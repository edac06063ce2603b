package dev.berth.provider.lifecycle;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import io.fabric8.kubernetes.api.model.PodReadinessGate;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The pod's conditions that a kubelet owns; a transition's time changes with the status only. */
final class ConditionsBuilder {
  private final Facts facts;
  private final String phase;
  private final boolean sandboxReady;
  private final Observation seen;

  ConditionsBuilder(Facts facts, String phase, boolean sandboxReady, Observation seen) {
    this.facts = facts;
    this.phase = phase;
    this.sandboxReady = sandboxReady;
    this.seen = seen;
  }

  private record Verdict(boolean holds, @Nullable String reason, @Nullable String message) {
    static final Verdict YES = new Verdict(true, null, null);
  }

  List<PodCondition> build() {
    Verdict containers = containersReady();
    return List.of(
        condition("PodReadyToStartContainers", new Verdict(sandboxReady, null, null)),
        condition("Initialized", initialized()),
        condition("Ready", ready(containers)),
        condition("ContainersReady", containers),
        scheduled());
  }

  private Verdict initialized() {
    return "Succeeded".equals(phase) ? new Verdict(true, "PodCompleted", null) : Verdict.YES;
  }

  private Verdict containersReady() {
    if ("Succeeded".equals(phase)) {
      return new Verdict(false, "PodCompleted", null);
    }
    if ("Failed".equals(phase)) {
      return new Verdict(false, "PodFailed", null);
    }
    if (facts.running()) {
      return Verdict.YES;
    }
    return new Verdict(
        false,
        "ContainersNotReady",
        "containers with unready status: [%s]".formatted(facts.container().getName()));
  }

  private Verdict ready(Verdict containers) {
    if (!containers.holds()) {
      return containers;
    }
    List<String> missing =
        facts.pod().getSpec().getReadinessGates().stream()
            .map(PodReadinessGate::getConditionType)
            .filter(type -> !"True".equals(statusOf(type).orElse("")))
            .map(this::missingGate)
            .toList();
    return missing.isEmpty()
        ? Verdict.YES
        : new Verdict(false, "ReadinessGatesNotReady", String.join(", ", missing));
  }

  private String missingGate(String type) {
    return statusOf(type)
        .map(
            status ->
                "the status of pod readiness gate \"%s\" is not \"True\", but %s"
                    .formatted(type, status))
        .orElseGet(
            () ->
                "corresponding condition of pod readiness gate \"%s\" does not exist."
                    .formatted(type));
  }

  private Optional<String> statusOf(String type) {
    return facts.pod().getStatus().getConditions().stream()
        .filter(condition -> type.equals(condition.getType()))
        .map(PodCondition::getStatus)
        .findFirst();
  }

  /** The scheduler's own words stay; a pod bound without it gets the kubelet's. */
  private PodCondition scheduled() {
    return previous("PodScheduled").orElseGet(() -> condition("PodScheduled", Verdict.YES));
  }

  private PodCondition condition(String type, Verdict verdict) {
    String status = verdict.holds() ? "True" : "False";
    String since =
        previous(type)
            .filter(before -> status.equals(before.getStatus()))
            .map(PodCondition::getLastTransitionTime)
            .filter(Objects::nonNull)
            .orElseGet(() -> StatusBuilder.time(seen.now()));
    Pod pod = seen.pod();
    return new PodConditionBuilder()
        .withType(type)
        .withStatus(status)
        .withReason(verdict.reason())
        .withMessage(verdict.message())
        .withLastTransitionTime(since)
        .withObservedGeneration(pod.getMetadata().getGeneration())
        .build();
  }

  private Optional<PodCondition> previous(String type) {
    return Stream.concat(
            seen.previous().getConditions().stream(),
            seen.pod().getStatus().getConditions().stream())
        .filter(condition -> type.equals(condition.getType()))
        .findFirst();
  }
}
