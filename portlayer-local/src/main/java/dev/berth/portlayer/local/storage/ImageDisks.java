package dev.berth.portlayer.local.storage;

import dev.berth.portlayer.storage.GarbagePolicy;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.StorageUsage;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The part of the storage service that the image store does; see its interface for each method. */
public interface ImageDisks extends AutoCloseable {
  Image pullImage(ImageRequest request);

  Optional<Image> findImage(String reference);

  List<Image> listImages();

  void removeImage(String id, Set<String> inUse);

  List<String> collectGarbage(GarbagePolicy policy, Set<String> inUse, StorageUsage usage);

  /** Bytes that image disks and cached layers occupy. */
  long occupied();

  @Override
  void close();
}
