package dev.berth.provider.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.provider.lifecycle.PodMemory.Rejection;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("A pod")
class PodMachineTest {
  private final Scenario pod = new Scenario();

  @Test
  @DisplayName("gets its image, its group and its process, one after the other")
  void starts() {
    pod.look();
    assertEquals(Optional.of(new Action.PullImage()), pod.begun());
    pod.ends(new Outcome.ImageReady("sha256:1", "repo@sha256:1")).look();
    assertEquals(Optional.of(new Action.CreateGroup(0)), pod.begun());
    assertEquals("Pending", pod.phase());
    assertEquals("ContainerCreating", pod.waitingReason());
    pod.group(PowerState.OFF, new ProcessState.NotStarted()).done().look();
    assertEquals(Optional.of(new Action.StartProcess(0)), pod.begun());
    pod.running(0).done().look();
    assertEquals(Optional.empty(), pod.begun());
    assertEquals("Running", pod.phase());
    assertEquals("True", pod.condition("Ready").getStatus());
    assertTrue(pod.container().getReady());
    assertEquals("10.0.0.2", pod.status().getPodIP());
  }

  @Test
  @DisplayName("has one status worth writing between its creation and Running")
  void coalesces() {
    assertTrue(pod.look().decision().passing());
    pod.ends(new Outcome.ImageReady("sha256:1", "r")).look();
    assertTrue(pod.decision().passing());
    pod.running(0).done().look();
    assertFalse(pod.decision().passing());
  }

  @Test
  @DisplayName("shows ErrImagePull, then ImagePullBackOff, and pulls again after ten seconds")
  void pullFails() {
    pod.look().ends(new Outcome.Failed(Problem.Kind.IMAGE_PULL, "no such tag")).look();
    assertEquals("ErrImagePull", pod.waitingReason());
    assertTrue(pod.told("Failed", "Failed to pull image \"app:1\": no such tag"));
    pod.after(Duration.ofSeconds(3)).look();
    assertEquals("ImagePullBackOff", pod.waitingReason());
    assertTrue(pod.told("BackOff", "Back-off pulling image \"app:1\""));
    assertEquals(Optional.empty(), pod.begun());
    pod.after(Duration.ofSeconds(8)).look();
    assertEquals(Optional.of(new Action.PullImage()), pod.begun());
    pod.ends(new Outcome.Failed(Problem.Kind.IMAGE_PULL, "no such tag")).look();
    assertEquals(pod.now().plusSeconds(2), pod.decision().wakeAt().orElseThrow());
    assertEquals(
        Duration.ofSeconds(20), pod.memory().imageBackOff().map(BackOff::delay).orElseThrow());
  }

  @Test
  @DisplayName("is restarted at once after its first end, and later with the kubelet's back-off")
  void backsOff() {
    pod.running(0).look().after(Duration.ofSeconds(1)).exited(0, 1).look();
    assertEquals(Optional.of(new Action.StartProcess(1)), pod.begun());
    pod.running(1).done().after(Duration.ofSeconds(1)).exited(1, 1).look();
    assertEquals(Optional.empty(), pod.begun());
    assertEquals("CrashLoopBackOff", pod.waitingReason());
    assertTrue(
        pod.container()
            .getState()
            .getWaiting()
            .getMessage()
            .startsWith("back-off 10s restarting failed container=main pod=web_default("));
    assertEquals(1, pod.container().getLastState().getTerminated().getExitCode());
    assertEquals("Running", pod.phase());
    pod.after(Duration.ofSeconds(11)).look();
    assertEquals(Optional.of(new Action.StartProcess(2)), pod.begun());
    assertEquals(
        Duration.ofSeconds(20), pod.memory().restartBackOff().map(BackOff::delay).orElseThrow());
  }

  @Test
  @DisplayName("that ran for more than ten minutes is restarted without back-off")
  void forgetsBackOff() {
    pod.running(0).look().exited(0, 1).look();
    pod.running(1).done().after(Duration.ofMinutes(21)).exited(1, 1).look();
    assertEquals(Optional.of(new Action.StartProcess(2)), pod.begun());
  }

  @Test
  @DisplayName(
      "with restart policy Never is Succeeded after exit code 0, and its VM is powered off")
  void neverSucceeds() {
    pod.policy("Never").running(0).look().exited(0, 0).look();
    assertEquals("Succeeded", pod.phase());
    assertEquals("PodCompleted", pod.condition("Ready").getReason());
    assertEquals("Completed", pod.container().getState().getTerminated().getReason());
    assertEquals(Optional.of(new Action.PowerOff()), pod.begun());
  }

  @Test
  @DisplayName("with restart policy OnFailure is restarted after exit code 1 only")
  void onFailure() {
    pod.policy("OnFailure").running(0).look().exited(0, 1).look();
    assertEquals(Optional.of(new Action.StartProcess(1)), pod.begun());
    pod.exited(1, 0).done().look();
    assertEquals("Succeeded", pod.phase());
  }

  @Test
  @DisplayName("whose VM was lost is started again by its policy, or Failed with exit code 137")
  void vmLost() {
    pod.running(0).look().group(PowerState.OFF, pod.exit(0, 137, Reason.VM_LOST)).look();
    assertEquals(Optional.of(new Action.StartProcess(1)), pod.begun());
    Scenario never = new Scenario().policy("Never");
    never.running(0).look().group(PowerState.OFF, never.exit(0, 137, Reason.VM_LOST)).look();
    assertEquals("Failed", never.phase());
    assertEquals(137, never.container().getState().getTerminated().getExitCode());
  }

  @Test
  @DisplayName("whose group vanished gets another one that goes on counting its restarts")
  void groupLost() {
    pod.running(3).look().noGroup().look();
    assertEquals(Optional.of(new Action.PullImage()), pod.begun());
    pod.ends(new Outcome.ImageReady("sha256:1", "r")).look();
    assertEquals(Optional.of(new Action.CreateGroup(4)), pod.begun());
  }

  @Test
  @DisplayName("that must not run twice fails when its group vanished")
  void groupLostNever() {
    pod.policy("Never").running(0).look().noGroup().look();
    assertEquals("Failed", pod.phase());
    assertEquals("ContainerStatusUnknown", pod.container().getState().getTerminated().getReason());
    assertEquals(Optional.empty(), pod.begun());
  }

  @Test
  @DisplayName("killed for want of memory says OOMKilled")
  void outOfMemory() {
    pod.policy("Never")
        .running(0)
        .look()
        .group(PowerState.ON, pod.exit(0, 137, Reason.OUT_OF_MEMORY))
        .look();
    assertEquals("OOMKilled", pod.container().getState().getTerminated().getReason());
  }

  @Test
  @DisplayName("whose command is not found says RunContainerError, then CrashLoopBackOff")
  void startError() {
    pod.running(0).look().group(PowerState.ON, pod.exit(0, 128, Reason.START_ERROR)).look();
    assertEquals("RunContainerError", pod.waitingReason());
    pod.group(PowerState.ON, pod.exit(1, 128, Reason.START_ERROR)).done().look();
    assertEquals("CrashLoopBackOff", pod.waitingReason());
    assertEquals("StartError", pod.container().getLastState().getTerminated().getReason());
  }

  @Test
  @DisplayName("with a missing ConfigMap says CreateContainerConfigError and tries again soon")
  void configurationError() {
    pod.imageReady().group(PowerState.OFF, new ProcessState.NotStarted()).look();
    pod.ends(new Outcome.Failed(Problem.Kind.CONFIGURATION, "configmap \"c\" not found")).look();
    assertEquals("CreateContainerConfigError", pod.waitingReason());
    assertTrue(pod.told("Failed", "Error: configmap \"c\" not found"));
    assertEquals(Optional.empty(), pod.begun());
    pod.after(Duration.ofSeconds(3)).look();
    assertEquals(Optional.of(new Action.StartProcess(0)), pod.begun());
  }

  @Test
  @DisplayName(
      "being deleted is stopped with its grace, told as it ended, cleared away, and removed")
  void deletion() {
    pod.running(0).look().deleted(20).look();
    assertEquals(Optional.of(new Action.StopProcess(Duration.ofSeconds(20))), pod.begun());
    assertTrue(pod.told("Killing", "Stopping container main"));
    pod.exited(0, 143).done().look();
    assertEquals("Failed", pod.phase());
    assertEquals(Optional.of(new Action.DestroyGroup()), pod.begun());
    pod.noGroup().done().look();
    assertEquals(Optional.of(new Action.DeleteObject()), pod.begun());
    pod.done().look();
    assertEquals(Optional.empty(), pod.begun());
    assertFalse(pod.decision().finished());
    assertTrue(pod.gone().look().decision().finished());
  }

  @Test
  @DisplayName("deleted again with a shorter grace is stopped sooner, once")
  void shorterGrace() {
    pod.running(0).look().deleted(300).look().deleted(2).look();
    assertEquals(Optional.of(Duration.ofSeconds(2)), pod.decision().shorten());
    assertEquals(Optional.empty(), pod.look().decision().shorten());
    assertEquals(Optional.empty(), pod.deleted(300).look().decision().shorten());
  }

  @Test
  @DisplayName("deleted while its image is pulled has the pull interrupted")
  void deletedWhilePulling() {
    pod.look().deleted(30).look();
    assertTrue(pod.decision().cancel());
    pod.ends(new Outcome.Cancelled()).look();
    assertEquals(Optional.of(new Action.DestroyGroup()), pod.begun());
  }

  @Test
  @DisplayName("deleted while it waits to pull its image again is gone without waiting")
  void deletedInBackOff() {
    pod.look().ends(new Outcome.Failed(Problem.Kind.IMAGE_PULL, "no such tag")).look();
    pod.after(Duration.ofSeconds(3)).deleted(30).look();
    assertEquals(Optional.of(new Action.DestroyGroup()), pod.begun());
    pod.done().look();
    assertEquals(Optional.of(new Action.DeleteObject()), pod.begun());
  }

  @Test
  @DisplayName("removed by force is ended within two seconds, whatever its grace")
  void forced() {
    pod.running(0).look().gone().look();
    assertEquals(Optional.of(new Action.StopProcess(Duration.ofSeconds(2))), pod.begun());
    assertEquals(Optional.empty(), pod.decision().status());
    pod.exited(0, 137).done().look();
    assertEquals(Optional.of(new Action.DestroyGroup()), pod.begun());
    pod.noGroup().done().look();
    assertTrue(pod.decision().finished());
  }

  @Test
  @DisplayName("whose guest does not answer a stop is powered off by force")
  void unstoppable() {
    pod.running(0).look().deleted(5).look();
    pod.ends(new Outcome.Failed(Problem.Kind.STOP, "no answer"))
        .after(Duration.ofSeconds(5))
        .look();
    assertEquals(Optional.of(new Action.DestroyGroup()), pod.begun());
  }

  @Test
  @DisplayName("past its active deadline is stopped, then Failed with DeadlineExceeded")
  void deadline() {
    pod.deadline(60).running(0).look().after(Duration.ofSeconds(61)).look();
    assertEquals(Optional.of(new Action.StopProcess(Duration.ofSeconds(30))), pod.begun());
    assertEquals("Running", pod.phase());
    pod.exited(0, 143).done().look();
    assertEquals("Failed", pod.phase());
    assertEquals("DeadlineExceeded", pod.status().getReason());
    assertEquals(Optional.of(new Action.PowerOff()), pod.begun());
  }

  @Test
  @DisplayName("that was rejected is Failed and nothing is made for it")
  void rejected() {
    pod.reject(new Rejection("OutOfmemory", "too much")).look();
    assertEquals("Failed", pod.phase());
    assertEquals("Pod was rejected: too much", pod.status().getMessage());
    assertEquals(Optional.empty(), pod.begun());
  }

  @Test
  @DisplayName("that was called Failed by somebody else is stopped and stays Failed")
  void failedFromOutside() {
    pod.running(0).look().serverPhase("Failed").look();
    assertEquals(Optional.of(new Action.StopProcess(Duration.ofSeconds(30))), pod.begun());
    assertEquals("Failed", pod.phase());
  }

  @Test
  @DisplayName("found running by a new provider is left alone")
  void adopted() {
    pod.running(2).look();
    assertEquals(Optional.empty(), pod.begun());
    assertEquals("Running", pod.phase());
    assertEquals(2, pod.container().getRestartCount());
  }

  @Test
  @DisplayName("with another image than its group's is stopped and made anew")
  void imageChanged() {
    pod.running(1).look().image("app:2").look();
    assertEquals(Optional.of(new Action.StopProcess(Duration.ofSeconds(30))), pod.begun());
    assertTrue(pod.told("Killing", "Container main definition changed, will be restarted"));
    pod.exited(1, 0).done().look();
    assertEquals(Optional.of(new Action.DestroyGroup()), pod.begun());
    pod.noGroup().done().look();
    assertEquals(Optional.of(new Action.PullImage()), pod.begun());
  }

  @Test
  @DisplayName("keeps the time of a condition that did not change")
  void transitionTimes() {
    pod.running(0).look();
    String since = pod.condition("Ready").getLastTransitionTime();
    pod.after(Duration.ofMinutes(1)).look();
    assertEquals(since, pod.condition("Ready").getLastTransitionTime());
  }

  @Test
  @DisplayName("is not ready before its readiness gates are true")
  void readinessGate() {
    pod.gate("example.com/balanced").running(0).look();
    assertEquals("False", pod.condition("Ready").getStatus());
    assertEquals("ReadinessGatesNotReady", pod.condition("Ready").getReason());
    assertEquals("True", pod.condition("ContainersReady").getStatus());
  }

  @Test
  @DisplayName("keeps the last state of a restarted container")
  void lastState() {
    pod.running(0).look().exited(0, 9).look();
    pod.runningAfter(1, pod.exit(0, 9, Reason.ERROR)).done().look();
    ContainerStatus container = pod.container();
    assertEquals(9, container.getLastState().getTerminated().getExitCode());
    assertEquals(1, container.getRestartCount());
  }
}
