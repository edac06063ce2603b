package dev.berth.provider.lifecycle;

import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.Resources;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.provider.lifecycle.PodMemory.Rejection;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodReadinessGate;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One pod and its surroundings, told step by step. */
final class Scenario {
  static final String UID = "11111111-2222-3333-4444-555555555555";

  private Pod pod =
      new PodBuilder()
          .withNewMetadata()
          .withName("web")
          .withNamespace("default")
          .withUid(UID)
          .withGeneration(1L)
          .endMetadata()
          .withNewSpec()
          .withRestartPolicy("Always")
          .withTerminationGracePeriodSeconds(30L)
          .addNewContainer()
          .withName("main")
          .withImage("app:1")
          .endContainer()
          .endSpec()
          .withNewStatus()
          .withPhase("Pending")
          .endStatus()
          .build();
  private Instant now = Instant.parse("2026-11-23T12:00:00Z");
  private PodMemory memory = PodMemory.begin(now);
  private Optional<Group> group = Optional.empty();
  private PodStatus previous = pod.getStatus();
  private boolean gone;
  private @Nullable Decision decision;
  private final List<PodEvent> told = new ArrayList<>();

  Scenario policy(String policy) {
    pod = new PodBuilder(pod).editSpec().withRestartPolicy(policy).endSpec().build();
    return this;
  }

  Scenario image(String image) {
    pod =
        new PodBuilder(pod)
            .editSpec()
            .editFirstContainer()
            .withImage(image)
            .endContainer()
            .endSpec()
            .build();
    return this;
  }

  Scenario deadline(long seconds) {
    pod = new PodBuilder(pod).editSpec().withActiveDeadlineSeconds(seconds).endSpec().build();
    return this;
  }

  Scenario gate(String type) {
    pod =
        new PodBuilder(pod)
            .editSpec()
            .withReadinessGates(new PodReadinessGate(type))
            .endSpec()
            .build();
    return this;
  }

  Scenario deleted(long grace) {
    pod =
        new PodBuilder(pod)
            .editMetadata()
            .withDeletionTimestamp(now.plusSeconds(grace).toString())
            .withDeletionGracePeriodSeconds(grace)
            .endMetadata()
            .build();
    return this;
  }

  Scenario gone() {
    gone = true;
    return this;
  }

  Scenario reject(Rejection why) {
    memory = memory.rejected(why);
    return this;
  }

  Scenario serverPhase(String phase) {
    pod = new PodBuilder(pod).editStatus().withPhase(phase).endStatus().build();
    return this;
  }

  Scenario after(Duration time) {
    now = now.plus(time);
    return this;
  }

  Scenario imageReady() {
    return look().ends(new Outcome.ImageReady("sha256:1", "repo@sha256:1")).look().done();
  }

  Scenario running(int attempt) {
    return group(PowerState.ON, new ProcessState.Running(attempt, now));
  }

  Scenario runningAfter(int attempt, Exited before) {
    group = Optional.of(group(PowerState.ON, new ProcessState.Running(attempt, now), before));
    return this;
  }

  Scenario exited(int attempt, int code) {
    return group(PowerState.ON, exit(attempt, code, code == 0 ? Reason.COMPLETED : Reason.ERROR));
  }

  Exited exit(int attempt, int code, Reason reason) {
    return new Exited(attempt, now, now, code, 0, reason, "");
  }

  Scenario noGroup() {
    group = Optional.empty();
    return this;
  }

  Scenario group(PowerState power, ProcessState process) {
    group = Optional.of(group(power, process, new Exited[0]));
    return this;
  }

  private Group group(PowerState power, ProcessState process, Exited... history) {
    String image = pod.getSpec().getContainers().getFirst().getImage();
    String label =
        group
            .map(before -> before.members().getFirst().spec().labels().get(Names.IMAGE))
            .orElse(image);
    ContainerVmSpec member =
        new ContainerVmSpec(
            Names.containerVm(UID, "main"),
            "web",
            new Resources(1, 0, 0, 1 << 20, 0),
            "sha256:1",
            List.of(
                new DiskAttachment("image", DiskAttachment.Role.IMAGE, "i", true),
                new DiskAttachment("scratch", DiskAttachment.Role.SCRATCH, "s", false)),
            List.of(
                new NicAttachment(
                    "nic", "net", "52:54:00:00:00:01", List.of("10.0.0.2/24"), "10.0.0.1", 1500)),
            Map.of(Names.IMAGE, String.valueOf(label)));
    GroupSpec spec =
        new GroupSpec(
            Names.group(UID), "web", Placement.anywhereTogether(), List.of(member), Map.of());
    return new Group(
        spec,
        now,
        List.of(new ContainerVm(member, power, power == PowerState.ON, process, List.of(history))));
  }

  /** The machine looks, its status is written, and its action is begun. */
  Scenario look() {
    Decision decided =
        PodMachine.decide(
            new Observation(
                pod,
                gone,
                previous,
                group,
                memory,
                List.of("192.0.2.1"),
                Duration.ofSeconds(30),
                now));
    decision = decided;
    memory = decided.memory();
    decided.status().ifPresent(status -> previous = status);
    told.addAll(decided.events());
    return this;
  }

  /** The action in progress ends well. */
  Scenario done() {
    return ends(new Outcome.Done());
  }

  /** The action in progress, if there is one, ends. */
  Scenario ends(Outcome outcome) {
    memory
        .operation()
        .ifPresent(
            action -> {
              Completion completion = Completion.of(pod, memory, action, outcome, now);
              memory = completion.memory();
              told.addAll(completion.events());
            });
    return this;
  }

  Decision decision() {
    if (decision == null) {
      throw new IllegalStateException("nothing was looked at");
    }
    return decision;
  }

  Optional<Action> begun() {
    return decision().begin();
  }

  PodStatus status() {
    return decision().status().orElseThrow();
  }

  String phase() {
    return status().getPhase();
  }

  ContainerStatus container() {
    return status().getContainerStatuses().getFirst();
  }

  String waitingReason() {
    return container().getState().getWaiting().getReason();
  }

  PodCondition condition(String type) {
    return status().getConditions().stream()
        .filter(condition -> condition.getType().equals(type))
        .findFirst()
        .orElseThrow();
  }

  PodMemory memory() {
    return memory;
  }

  Instant now() {
    return now;
  }

  boolean told(String reason, String message) {
    return told.stream()
        .anyMatch(event -> event.reason().equals(reason) && event.message().equals(message));
  }
}
