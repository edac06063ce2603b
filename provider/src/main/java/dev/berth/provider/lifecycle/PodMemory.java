package dev.berth.provider.lifecycle;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What is known about a pod beyond the cluster and the port layer. It may be lost at any time: then
 * a failed pull is tried earlier and a back-off begins anew, and nothing that runs is touched.
 *
 * @param firstSeen when this process saw the pod first
 * @param rejection why the pod may not run here
 * @param operation the action in progress
 * @param image what was pulled for it
 * @param problem what failed last; empty again after a success
 * @param failures how often the same step failed in a row
 * @param announced whether the back-off of the present problem was told
 * @param verdict why the pod has failed although its policy would have it restarted
 * @param replacing whether the group makes room for another with the pod's present image
 * @param cleared whether the port layer holds nothing of the pod any more
 * @param objectDeletedAt when the pod object's removal was asked for
 * @param refreshedAt when the volumes were last written
 * @param refreshedMetadata the pod's metadata at that time
 */
public record PodMemory(
    Instant firstSeen,
    Optional<Rejection> rejection,
    Optional<Action> operation,
    Optional<ReadyImage> image,
    Optional<Problem> problem,
    int failures,
    boolean announced,
    Optional<BackOff> imageBackOff,
    Optional<BackOff> restartBackOff,
    int announcedAttempt,
    Optional<Rejection> verdict,
    boolean replacing,
    boolean cleared,
    Optional<Instant> objectDeletedAt,
    Optional<Instant> refreshedAt,
    int refreshedMetadata) {

  /** A reason and a message as they appear in the pod's status. */
  public record Rejection(String reason, String message) {}

  /**
   * An image on the datastore.
   *
   * @param specified the pod's own word for it
   */
  public record ReadyImage(String specified, String id, String reference) {}

  /** What is known of a pod seen for the first time. */
  public static PodMemory begin(Instant now) {
    return new Draft(now).freeze();
  }

  /** When the step that failed may be tried again; empty when nothing failed. */
  Optional<Instant> retryAt() {
    return problem.map(
        failed ->
            failed.kind() == Problem.Kind.IMAGE_PULL
                ? failed.since().plus(imageBackOff.map(BackOff::delay).orElse(BackOff.INITIAL))
                : failed.since().plus(shortDelay()));
  }

  private Duration shortDelay() {
    return Duration.ofSeconds(Math.min(30, 1L << Math.min(failures, 5)));
  }

  Draft draft() {
    Draft draft = new Draft(firstSeen);
    draft.rejection = rejection.orElse(null);
    draft.operation = operation.orElse(null);
    draft.image = image.orElse(null);
    draft.problem = problem.orElse(null);
    draft.failures = failures;
    draft.announced = announced;
    draft.imageBackOff = imageBackOff.orElse(null);
    draft.restartBackOff = restartBackOff.orElse(null);
    draft.announcedAttempt = announcedAttempt;
    draft.verdict = verdict.orElse(null);
    draft.replacing = replacing;
    draft.cleared = cleared;
    draft.objectDeletedAt = objectDeletedAt.orElse(null);
    draft.refreshedAt = refreshedAt.orElse(null);
    draft.refreshedMetadata = refreshedMetadata;
    return draft;
  }

  /** A memory under change, by one thread. */
  static final class Draft {
    private final Instant firstSeen;
    @Nullable Rejection rejection;
    @Nullable Action operation;
    @Nullable ReadyImage image;
    @Nullable Problem problem;
    int failures;
    boolean announced;
    @Nullable BackOff imageBackOff;
    @Nullable BackOff restartBackOff;
    int announcedAttempt = -1;
    @Nullable Rejection verdict;
    boolean replacing;
    boolean cleared;
    @Nullable Instant objectDeletedAt;
    @Nullable Instant refreshedAt;
    int refreshedMetadata;

    private Draft(Instant firstSeen) {
      this.firstSeen = firstSeen;
    }

    PodMemory freeze() {
      return new PodMemory(
          firstSeen,
          Optional.ofNullable(rejection),
          Optional.ofNullable(operation),
          Optional.ofNullable(image),
          Optional.ofNullable(problem),
          failures,
          announced,
          Optional.ofNullable(imageBackOff),
          Optional.ofNullable(restartBackOff),
          announcedAttempt,
          Optional.ofNullable(verdict),
          replacing,
          cleared,
          Optional.ofNullable(objectDeletedAt),
          Optional.ofNullable(refreshedAt),
          refreshedMetadata);
    }
  }

  /** The same, with the decision about the pod's admission. */
  public PodMemory rejected(Rejection why) {
    Draft draft = draft();
    draft.rejection = why;
    return draft.freeze();
  }
}
