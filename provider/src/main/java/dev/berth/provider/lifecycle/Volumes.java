package dev.berth.provider.lifecycle;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import java.util.Objects;

/** Which of a pod's volumes can change while it runs. */
final class Volumes {
  private Volumes() {}

  static boolean changing(Pod pod) {
    return pod.getSpec().getVolumes().stream().anyMatch(Volumes::changing);
  }

  private static boolean changing(Volume volume) {
    return volume.getConfigMap() != null
        || volume.getSecret() != null
        || volume.getProjected() != null
        || volume.getDownwardAPI() != null;
  }

  /** Whether labels and annotations can be read from a volume. */
  static boolean ofMetadata(Pod pod) {
    return pod.getSpec().getVolumes().stream()
        .anyMatch(
            volume ->
                volume.getDownwardAPI() != null
                    || (volume.getProjected() != null
                        && volume.getProjected().getSources().stream()
                            .anyMatch(source -> source.getDownwardAPI() != null)));
  }

  static int metadataHash(Pod pod) {
    return Objects.hash(pod.getMetadata().getLabels(), pod.getMetadata().getAnnotations());
  }
}
