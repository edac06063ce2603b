package dev.berth.portlayer.local.storage;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.HostCommands;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.GarbagePolicy;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.StorageService;
import dev.berth.portlayer.storage.StorageUsage;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Images by the image store, scratch disks and volumes as files beside them. */
public final class LocalStorage implements StorageService {
  private final Path directory;
  private final ImageDisks images;
  private final DiskStore disks;
  private final Predicate<String> attached;

  /**
   * @param attached tells from a disk's id whether a containerVM that is powered on has it
   */
  public LocalStorage(
      Path directory, ImageDisks images, HostCommands commands, Predicate<String> attached) {
    this.directory = directory;
    this.images = images;
    this.disks = new DiskStore(directory.resolve("disks"), commands);
    this.attached = attached;
  }

  @Override
  public Image pullImage(ImageRequest request) {
    return images.pullImage(request);
  }

  @Override
  public Optional<Image> findImage(String reference) {
    return images.findImage(reference);
  }

  @Override
  public List<Image> listImages() {
    return images.listImages();
  }

  @Override
  public void removeImage(String id, Set<String> inUse) {
    images.removeImage(id, inUse);
  }

  @Override
  public List<String> collectGarbage(GarbagePolicy policy, Set<String> inUse) {
    return images.collectGarbage(policy, inUse, usage());
  }

  @Override
  public DiskAttachment createDisk(String id, DiskAttachment.Role role, long size) {
    return disks.create(id, role, size);
  }

  @Override
  public void deleteDisk(String id) {
    if (attached.test(id)) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "disk %s is attached to a containerVM that is powered on".formatted(id));
    }
    disks.delete(id);
  }

  @Override
  public List<DiskAttachment> listDisks() {
    return disks.list();
  }

  @Override
  public StorageUsage usage() {
    try {
      FileStore store = Files.getFileStore(directory);
      return new StorageUsage(
          store.getTotalSpace(), store.getUsableSpace(), images.occupied(), disks.occupied());
    } catch (IOException e) {
      throw AtomicFiles.failure("look at", directory, e);
    }
  }
}
