package dev.berth.provider.lifecycle;

import java.time.Instant;

/**
 * Why the container does not run although it should.
 *
 * @param since when it failed last
 */
public record Problem(Kind kind, String message, Instant since) {
  /** What failed, with the waiting reason that the kubelet shows for it. */
  public enum Kind {
    IMAGE_PULL("ErrImagePull", "Failed"),
    IMAGE_NEVER("ErrImageNeverPull", "ErrImageNeverPull"),
    IMAGE_NAME("InvalidImageName", "InspectFailed"),
    MOUNT("ContainerCreating", "FailedMount"),
    SANDBOX("ContainerCreating", "FailedCreatePodSandBox"),
    CONFIGURATION("CreateContainerConfigError", "Failed"),
    RUN("RunContainerError", "Failed"),
    STOP("ContainerCreating", "FailedKillPod"),
    REFRESH("ContainerCreating", "FailedMount"),
    OBJECT("ContainerCreating", "FailedDelete");

    private final String waitingReason;
    private final String eventReason;

    Kind(String waitingReason, String eventReason) {
      this.waitingReason = waitingReason;
      this.eventReason = eventReason;
    }

    public String waitingReason() {
      return waitingReason;
    }

    public String eventReason() {
      return eventReason;
    }

    boolean ofRemoval() {
      return this == STOP || this == OBJECT;
    }

    boolean ofImage() {
      return this == IMAGE_PULL || this == IMAGE_NEVER || this == IMAGE_NAME;
    }
  }
}
