package dev.berth.provider.lifecycle;

import io.fabric8.kubernetes.api.model.PodStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What follows from an observation.
 *
 * @param status what the API server shall show; empty when it is to be left as it is
 * @param passing whether the status will be another in a moment, so that writing it can wait
 * @param begin the action to begin; the memory counts it as in progress already
 * @param cancel whether to interrupt the action in progress
 * @param shorten a new, shorter grace period for the stop in progress
 * @param wakeAt when to look again although nothing happened
 * @param finished whether nothing is left to do for this pod, ever
 */
public record Decision(
    Optional<PodStatus> status,
    boolean passing,
    Optional<Action> begin,
    boolean cancel,
    Optional<Duration> shorten,
    List<PodEvent> events,
    PodMemory memory,
    Optional<Instant> wakeAt,
    boolean finished) {
  public Decision {
    events = List.copyOf(events);
  }
}
