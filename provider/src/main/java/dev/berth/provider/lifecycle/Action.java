package dev.berth.provider.lifecycle;

import java.time.Duration;

/** One thing to do for a pod. At most one of them is in progress for a pod at a time. */
public sealed interface Action {
  /** Finds or pulls the container's image, as its pull policy says. */
  record PullImage() implements Action {}

  /** Reserves address and disks and records the group; nothing is powered on. */
  record CreateGroup(int firstAttempt) implements Action {}

  /** Resolves environment and volumes, and starts the process, with its VM when that is off. */
  record StartProcess(int attempt) implements Action {}

  /** Sends the stop signal and, after the grace period, KILL. */
  record StopProcess(Duration gracePeriod) implements Action {}

  /** Frees the memory and CPUs of a pod that is over; its log stays. */
  record PowerOff() implements Action {}

  /** Forgets the group and gives its disks and its address back. */
  record DestroyGroup() implements Action {}

  /** Removes the pod object, when it is still this very pod. */
  record DeleteObject() implements Action {}

  /** Writes what changed in ConfigMaps, Secrets, tokens and pod metadata into the volumes. */
  record RefreshVolumes() implements Action {}

  /** Whether it works towards a running process, which a deletion interrupts. */
  default boolean starts() {
    return switch (this) {
      case PullImage _, CreateGroup _, StartProcess _, RefreshVolumes _ -> true;
      case StopProcess _, PowerOff _, DestroyGroup _, DeleteObject _ -> false;
    };
  }
}
