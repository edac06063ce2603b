package dev.berth.portlayer.image;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.content.StorageFailures;
import dev.berth.portlayer.image.layer.SquashfsBuilder;
import dev.berth.portlayer.image.registry.ImageReference;
import dev.berth.portlayer.image.registry.RegistryClient;
import dev.berth.portlayer.storage.GarbagePolicy;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.StorageUsage;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The images of one datastore, in a directory of this machine: pulled from registries, each made
 * into one squashfs file. A storage service delegates to it method by method. Safe for many
 * threads; a directory serves one store at a time.
 *
 * <p>Compressed layers are kept as long as an image uses them, because a new version of an image
 * usually shares most of them with the old; they count as used space and go with the image.
 */
public final class ImageStore implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ImageStore.class);

  /** A pull that was interrupted is usually tried again within minutes; after this it is not. */
  private static final Duration ABANDONED = Duration.ofHours(1);

  private final StoreDirectory directory;
  private final ImageCatalog catalog;
  private final RegistryClient registry;
  private final DiskMaker disks;
  private final ImagePuller puller;
  private final Clock clock;

  private ImageStore(ImageStoreConfiguration configuration, StoreDirectory directory, Clock clock)
      throws IOException {
    this.directory = directory;
    this.clock = clock;
    this.catalog = new ImageCatalog(directory, clock);
    this.registry =
        new RegistryClient(
            configuration.registries(),
            configuration.allowedRegistries(),
            configuration.dockerConfiguration(),
            configuration.stallTimeout());
    int processors = Math.max(1, Runtime.getRuntime().availableProcessors());
    SquashfsBuilder builder = new SquashfsBuilder(configuration.squashfsTool(), processors);
    this.disks = new DiskMaker(directory, catalog, builder, configuration.parallelLayers());
    this.puller = new ImagePuller(registry, catalog, disks);
  }

  /**
   * Opens the store and removes what a process that died in the midst left unfinished.
   *
   * @throws PortLayerException FAILED_PRECONDITION when another store has the directory open,
   *     INTERNAL when it cannot be read or written
   */
  public static ImageStore open(ImageStoreConfiguration configuration) {
    return open(configuration, Clock.systemUTC());
  }

  static ImageStore open(ImageStoreConfiguration configuration, Clock clock) {
    StoreDirectory directory = StoreDirectory.open(configuration.directory());
    boolean opened = false;
    try {
      ImageStore store = new ImageStore(configuration, directory, clock);
      opened = true;
      return store;
    } catch (IOException e) {
      throw StorageFailures.of("failed to open image store " + directory, e);
    } finally {
      if (!opened) {
        directory.close();
      }
    }
  }

  /**
   * As {@link dev.berth.portlayer.storage.StorageService#pullImage}. Costs one request when the
   * registry still has the digest that is here. Also FAILED_PRECONDITION (sqfstar missing, Docker
   * configuration unreadable), UNSUPPORTED (an obsolete manifest or an unknown kind of layer),
   * INTERRUPTED.
   */
  public Image pull(ImageRequest request) {
    return puller.pull(request);
  }

  /** As {@link dev.berth.portlayer.storage.StorageService#findImage}. */
  public Optional<Image> find(String reference) {
    try {
      Optional<Digest> id = id(reference);
      return id.isPresent()
          ? catalog.findById(id.get())
          : catalog.find(ImageReference.parse(reference));
    } catch (IOException e) {
      throw StorageFailures.of("failed to read image store " + directory, e);
    }
  }

  /** An image id, with or without its algorithm. */
  private static Optional<Digest> id(String reference) {
    boolean bare = reference.matches("[0-9a-f]{64}");
    if (!bare && !reference.matches("sha(256|512):[0-9a-f]+")) {
      return Optional.empty();
    }
    try {
      return Optional.of(Digest.parse(bare ? "sha256:" + reference : reference));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // A repository may be called sha256.
    }
  }

  /** Every complete image, in no order. */
  public List<Image> list() {
    return catalog.list();
  }

  /** As {@link dev.berth.portlayer.storage.StorageService#removeImage}. */
  public void remove(String id, Set<String> inUse) {
    if (inUse.contains(id)) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION, "image %s is in use by a containerVM".formatted(id));
    }
    try {
      Optional<Digest> digest = id(id);
      if (digest.isPresent()) {
        catalog.remove(digest.get());
      }
    } catch (IOException e) {
      throw StorageFailures.of("failed to remove image " + id, e);
    }
  }

  /**
   * As {@link dev.berth.portlayer.storage.StorageService#collectGarbage}.
   *
   * @param usage of the datastore that the directory is on
   */
  public List<String> collectGarbage(GarbagePolicy policy, Set<String> inUse, StorageUsage usage) {
    try {
      catalog.touchAll(inUse);
      Instant now = clock.instant();
      long excess = excess(policy, usage);
      Duration patience =
          excess > 0 && policy.minimumAge().compareTo(ABANDONED) < 0
              ? policy.minimumAge()
              : ABANDONED;
      catalog.removeAbandoned(now.minus(patience));
      return excess > 0 ? removeUnused(excess, now.minus(policy.minimumAge()), inUse) : List.of();
    } catch (IOException e) {
      throw StorageFailures.of("failed to collect garbage in image store " + directory, e);
    }
  }

  /** Bytes to free to come down to the low threshold; 0 below the high one. */
  private static long excess(GarbagePolicy policy, StorageUsage usage) {
    long usedPercent = 100 - usage.available() * 100 / Math.max(1, usage.capacity());
    if (usage.capacity() <= 0
        || policy.highPercent() == 100
        || usedPercent < policy.highPercent()) {
      return 0;
    }
    return Math.max(0, usage.capacity() / 100 * (100 - policy.lowPercent()) - usage.available());
  }

  private List<String> removeUnused(long excess, Instant unusedSince, Set<String> inUse)
      throws IOException {
    List<String> removed = new ArrayList<>();
    long freed = 0;
    for (Digest id : catalog.unusedSince(unusedSince)) {
      if (freed >= excess) {
        break;
      }
      if (!inUse.contains(id.toString())) {
        freed += catalog.remove(id);
        removed.add(id.toString());
      }
    }
    if (freed < excess) {
      LOG.warn(
          "Image garbage collection freed {} of {} bytes; the other images are in use or were used lately",
          freed,
          excess);
    }
    return removed;
  }

  /** Bytes that image disks, layers and downloads occupy. */
  public long usedBytes() {
    try {
      return directory.usedBytes();
    } catch (IOException e) {
      throw StorageFailures.of("failed to read image store " + directory, e);
    }
  }

  /** Interrupts pulls under way, which leaves their downloads to be continued, and ends. */
  @Override
  public void close() {
    registry.close();
    puller.close();
    disks.close();
    directory.close();
  }
}
