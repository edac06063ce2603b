package dev.berth.portlayer.vsphere.storage;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.ImageStore;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.GarbagePolicy;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.StorageService;
import dev.berth.portlayer.storage.StorageUsage;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.vim.Service.DatastoreSummary;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Disks on a datastore. Images are pulled and merged on this machine, by the image store, and
 * uploaded once per digest.
 */
public final class VsphereStorage implements StorageService {
  private final ImageStore images;
  private final DatastoreFiles files;
  private final DatastoreDisks disks;
  private final Predicate<String> attached;

  /**
   * @param root the VCH's folder on the datastore
   * @param local a folder on this machine for what is about to be uploaded
   * @param attached tells from a disk's id whether a containerVM that is powered on has it
   */
  public VsphereStorage(
      ImageStore images,
      DatastoreFiles files,
      DatastorePath root,
      Path local,
      Predicate<String> attached) {
    this.images = images;
    this.files = files;
    this.disks = new DatastoreDisks(files, root, local);
    this.attached = attached;
  }

  @Override
  public Image pullImage(ImageRequest request) {
    Image image = images.pull(request);
    disks.addImage(digest(image.id()), Path.of(image.disk().location()));
    return onDatastore(image);
  }

  @Override
  public Optional<Image> findImage(String reference) {
    return images.find(reference).filter(this::uploaded).map(this::onDatastore);
  }

  @Override
  public List<Image> listImages() {
    return images.list().stream().filter(this::uploaded).map(this::onDatastore).toList();
  }

  private boolean uploaded(Image image) {
    return disks.images().contains(digest(image.id()));
  }

  private Image onDatastore(Image image) {
    return new Image(
        image.id(),
        image.repositoryDigests(),
        image.references(),
        image.configuration(),
        new DiskAttachment(
            image.disk().id(),
            DiskAttachment.Role.IMAGE,
            disks.image(digest(image.id())).toString(),
            true),
        image.size(),
        image.lastUsed());
  }

  private static String digest(String imageId) {
    return imageId.substring(imageId.indexOf(':') + 1);
  }

  @Override
  public void removeImage(String id, Set<String> inUse) {
    images.remove(id, inUse);
    disks.removeImage(digest(id));
  }

  /** Removes what the image store no longer knows as well, for it may have been lost. */
  @Override
  public List<String> collectGarbage(GarbagePolicy policy, Set<String> inUse) {
    Set<String> uploaded = disks.images();
    List<String> removed = images.collectGarbage(policy, inUse, usage());
    Set<String> kept = new HashSet<>();
    images.list().forEach(image -> kept.add(digest(image.id())));
    inUse.forEach(id -> kept.add(digest(id)));
    uploaded.stream().filter(digest -> !kept.contains(digest)).forEach(disks::removeImage);
    return removed;
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

  /** Whether a disk is there, an image's too. */
  public boolean exists(DiskAttachment disk) {
    return disks.exists(disk);
  }

  /**
   * Scratch disks and volumes count with what they may come to. vCenter tells late what is free: it
   * is never more than what the images leave.
   */
  @Override
  public StorageUsage usage() {
    DatastoreSummary summary = files.summary();
    long imageBytes = listImages().stream().mapToLong(Image::size).sum();
    return new StorageUsage(
        summary.capacity(),
        Math.min(summary.freeSpace(), summary.capacity() - imageBytes),
        imageBytes,
        disks.provisioned());
  }
}
