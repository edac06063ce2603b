package dev.berth.provider.pod;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.RegistryCredentials;
import dev.berth.portlayer.storage.StorageService;
import dev.berth.provider.lifecycle.Outcome;
import dev.berth.provider.lifecycle.PodEvent;
import dev.berth.provider.lifecycle.Problem;
import dev.berth.provider.translate.ClusterObjects;
import dev.berth.provider.translate.PullSecrets;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/** Makes a pod's image be there, as its pull policy says. */
final class ImagePuller {
  private final StorageService storage;
  private final Duration deadline;

  ImagePuller(StorageService storage, Duration deadline) {
    this.storage = storage;
    this.deadline = deadline;
  }

  Outcome prepare(Pod pod, ClusterObjects cluster, Consumer<PodEvent> events) {
    Container container = pod.getSpec().getContainers().getFirst();
    String reference = container.getImage();
    String policy = Optional.ofNullable(container.getImagePullPolicy()).orElse("IfNotPresent");
    if (!policy.equals("Always")) {
      Optional<Image> present = find(reference);
      if (present.isPresent()) {
        events.accept(
            PodEvent.normal(
                "Pulled",
                "Container image \"%s\" already present on machine".formatted(reference)));
        return ready(present.get(), reference);
      }
      if (policy.equals("Never")) {
        return new Outcome.Failed(
            Problem.Kind.IMAGE_NEVER,
            "Container image \"%s\" is not present with pull policy of Never".formatted(reference));
      }
    }
    return pull(reference, PullSecrets.of(pod, cluster, events), events);
  }

  private Optional<Image> find(String reference) {
    try {
      return storage.findImage(reference);
    } catch (PortLayerException malformed) {
      if (malformed.code() == PortLayerException.Code.INVALID_ARGUMENT) {
        return Optional.empty();
      }
      throw malformed;
    }
  }

  private Outcome pull(
      String reference, List<RegistryCredentials> credentials, Consumer<PodEvent> events) {
    events.accept(PodEvent.normal("Pulling", "Pulling image \"%s\"".formatted(reference)));
    long begin = System.nanoTime();
    try {
      Image image = storage.pullImage(new ImageRequest(reference, credentials, deadline));
      events.accept(
          PodEvent.normal(
              "Pulled",
              "Successfully pulled image \"%s\" in %s. Image size: %d bytes."
                  .formatted(reference, duration(System.nanoTime() - begin), image.size())));
      return ready(image, reference);
    } catch (PortLayerException failure) {
      return failed(reference, failure);
    }
  }

  private static Outcome failed(String reference, PortLayerException failure) {
    return switch (failure.code()) {
      case INTERRUPTED -> new Outcome.Cancelled();
      case INVALID_ARGUMENT ->
          new Outcome.Failed(
              Problem.Kind.IMAGE_NAME,
              "Failed to apply default image tag \"%s\": couldn't parse image name: %s"
                  .formatted(reference, failure.getMessage()));
      default -> new Outcome.Failed(Problem.Kind.IMAGE_PULL, String.valueOf(failure.getMessage()));
    };
  }

  private static Outcome ready(Image image, String reference) {
    return new Outcome.ImageReady(image.id(), digestOf(image, reference));
  }

  /** The repository digest of the repository that the pod names, or else any, or else the id. */
  private static String digestOf(Image image, String reference) {
    String repository = reference.replaceFirst("@.*$", "").replaceFirst(":[^:/]*$", "");
    return image.repositoryDigests().stream()
        .filter(digest -> digest.replaceFirst("@.*$", "").endsWith(repository))
        .findFirst()
        .or(() -> image.repositoryDigests().stream().findFirst())
        .orElse(image.id());
  }

  private static String duration(long nanos) {
    return nanos < 1_000_000_000L
        ? nanos / 1_000_000 + "ms"
        : String.format(Locale.ROOT, "%.3fs", nanos / 1e9);
  }
}
