package dev.berth.portlayer.image;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Deadline;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.content.StorageFailures;
import dev.berth.portlayer.image.registry.ImageReference;
import dev.berth.portlayer.image.registry.RegistryClient;
import dev.berth.portlayer.image.registry.ResolvedImage;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.RegistryCredentials;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/** Brings images into the catalog; what several callers want at once is done once. */
final class ImagePuller implements AutoCloseable {
  /**
   * Callers with other credentials don't share a pull: each must be let in by the registry. They do
   * share blobs and the building of the disk.
   */
  private record PullKey(String reference, List<RegistryCredentials> credentials) {}

  private final RegistryClient registry;
  private final ImageCatalog catalog;
  private final DiskMaker disks;
  private final ExecutorService waiting = Executors.newVirtualThreadPerTaskExecutor();

  /** Building is computation; it would hold up virtual threads. */
  private final ExecutorService building =
      Executors.newThreadPerTaskExecutor(
          Thread.ofPlatform().daemon().name("image-build-", 0).factory());

  private final SharedTasks<PullKey, Image> pulls = new SharedTasks<>(waiting, "pulling an image");
  private final SharedTasks<Digest, ImageRecord> builds =
      new SharedTasks<>(building, "building an image disk");

  ImagePuller(RegistryClient registry, ImageCatalog catalog, DiskMaker disks) {
    this.registry = registry;
    this.catalog = catalog;
    this.disks = disks;
  }

  Image pull(ImageRequest request) {
    ImageReference reference = ImageReference.parse(request.reference());
    PullKey key = new PullKey(reference.toString(), request.credentials());
    Deadline deadline = Deadline.after(request.deadline());
    return pulls.run(
        key, () -> deadline, true, shared -> pull(reference, request.credentials(), shared));
  }

  private Image pull(
      ImageReference reference,
      List<RegistryCredentials> credentials,
      Supplier<Deadline> deadline) {
    RegistryClient.Pull pull = registry.begin(reference, credentials, deadline);
    try {
      Optional<Digest> target = pull.digest();
      Optional<Digest> known = target.flatMap(catalog::withTarget);
      if (known.isPresent()) {
        Optional<Image> image = catalog.name(known.get(), reference, target.get());
        if (image.isPresent()) {
          return image.get();
        }
      }
      return pull(reference, pull, pull.resolve(target), deadline);
    } catch (IOException e) {
      throw StorageFailures.of("failed to pull image \"" + reference + "\"", e);
    }
  }

  private Image pull(
      ImageReference reference,
      RegistryClient.Pull pull,
      ResolvedImage resolved,
      Supplier<Deadline> deadline)
      throws IOException {
    Digest id = resolved.configurationDigest();
    if (catalog.findById(id).isEmpty()) {
      builds.run(id, deadline, false, shared -> disks.make(pull, resolved, shared));
    }
    return catalog
        .name(id, reference, resolved.target())
        .orElseThrow(
            () ->
                new PortLayerException(
                    Code.UNAVAILABLE,
                    "failed to pull image \"" + reference + "\": it was removed meanwhile"));
  }

  /** Interrupts what is under way and waits for it to end. */
  @Override
  public void close() {
    waiting.shutdownNow();
    building.shutdownNow();
    waiting.close();
    building.close();
  }
}
