package dev.berth.portlayer.local.storage;

import dev.berth.portlayer.image.ImageStore;
import dev.berth.portlayer.storage.GarbagePolicy;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.StorageUsage;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Images from registries, by the image store. */
public record StoredImages(ImageStore store) implements ImageDisks {
  @Override
  public Image pullImage(ImageRequest request) {
    return store.pull(request);
  }

  @Override
  public Optional<Image> findImage(String reference) {
    return store.find(reference);
  }

  @Override
  public List<Image> listImages() {
    return store.list();
  }

  @Override
  public void removeImage(String id, Set<String> inUse) {
    store.remove(id, inUse);
  }

  @Override
  public List<String> collectGarbage(GarbagePolicy policy, Set<String> inUse, StorageUsage usage) {
    return store.collectGarbage(policy, inUse, usage);
  }

  @Override
  public long occupied() {
    return store.usedBytes();
  }

  @Override
  public void close() {
    store.close();
  }
}
