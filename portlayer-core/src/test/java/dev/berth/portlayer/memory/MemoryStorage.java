package dev.berth.portlayer.memory;

import dev.berth.portlayer.Identifiers;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import dev.berth.portlayer.storage.GarbagePolicy;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.StorageService;
import dev.berth.portlayer.storage.StorageUsage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Disks without content, and images that a test put into the registry. */
final class MemoryStorage implements StorageService {
  private static final long MEBIBYTE = 1 << 20;
  private static final long SMALLEST_DISK = 16 * MEBIBYTE;
  private static final long CAPACITY = 1L << 40;

  private final World world;

  MemoryStorage(World world) {
    this.world = world;
  }

  @Override
  public Image pullImage(ImageRequest request) {
    Reference reference = Reference.parse(request.reference());
    world.faults.enter(Operation.PULL_IMAGE);
    World.Offer offer = world.registry.get(reference.toString());
    if (offer == null) {
      throw new PortLayerException(
          Code.NOT_FOUND, "image %s: there is no such image".formatted(reference));
    }
    synchronized (world) {
      return keep(reference, offer);
    }
  }

  private Image keep(Reference reference, World.Offer offer) {
    Image before = world.images.get(offer.id());
    Set<String> references = new TreeSet<>();
    Set<String> digests = new TreeSet<>();
    if (before != null) {
      references.addAll(before.references());
      digests.addAll(before.repositoryDigests());
    }
    if (!reference.byDigest()) {
      forget(reference.toString());
      references.add(reference.toString());
    }
    digests.add(reference.repository() + "@" + offer.digest());
    Image image =
        new Image(
            offer.id(),
            List.copyOf(digests),
            List.copyOf(references),
            offer.configuration(),
            new DiskAttachment(
                "image-" + offer.id().substring("sha256:".length(), 31),
                Role.IMAGE,
                "memory:" + offer.id(),
                true),
            offer.size(),
            Instant.now());
    world.images.put(image.id(), image);
    return image;
  }

  /** A tag names one image only: the one pulled last. */
  private void forget(String reference) {
    world.images.replaceAll(
        (id, image) ->
            image.references().contains(reference)
                ? new Image(
                    id,
                    image.repositoryDigests(),
                    image.references().stream().filter(name -> !name.equals(reference)).toList(),
                    image.configuration(),
                    image.disk(),
                    image.size(),
                    image.lastUsed())
                : image);
  }

  @Override
  public Optional<Image> findImage(String reference) {
    synchronized (world) {
      Image byId = world.images.get(reference);
      if (byId != null) {
        return Optional.of(used(byId));
      }
      if (reference.startsWith("sha256:")) {
        return Optional.empty();
      }
      String name = Reference.parse(reference).toString();
      return world.images.values().stream()
          .filter(
              image ->
                  image.references().contains(name) || image.repositoryDigests().contains(name))
          .findFirst()
          .map(this::used);
    }
  }

  private Image used(Image image) {
    Image used =
        new Image(
            image.id(),
            image.repositoryDigests(),
            image.references(),
            image.configuration(),
            image.disk(),
            image.size(),
            Instant.now());
    world.images.put(image.id(), used);
    return used;
  }

  @Override
  public List<Image> listImages() {
    return List.copyOf(world.images.values());
  }

  @Override
  public void removeImage(String id, Set<String> inUse) {
    if (inUse.contains(id)) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION, "image %s is used by a containerVM".formatted(id));
    }
    world.images.remove(id);
  }

  @Override
  public List<String> collectGarbage(GarbagePolicy policy, Set<String> inUse) {
    List<String> removed = new ArrayList<>();
    synchronized (world) {
      if (usedPercent() < policy.highPercent()) {
        return removed;
      }
      Instant newest = Instant.now().minus(policy.minimumAge());
      List<Image> oldestFirst =
          world.images.values().stream()
              .filter(image -> !inUse.contains(image.id()) && !image.lastUsed().isAfter(newest))
              .sorted(Comparator.comparing(Image::lastUsed))
              .toList();
      for (Image image : oldestFirst) {
        if (usedPercent() <= policy.lowPercent() && policy.lowPercent() > 0) {
          break;
        }
        world.images.remove(image.id());
        removed.add(image.id());
      }
    }
    return removed;
  }

  private double usedPercent() {
    StorageUsage usage = usage();
    return 100.0 * (usage.capacity() - usage.available()) / usage.capacity();
  }

  @Override
  public DiskAttachment createDisk(String id, Role role, long size) {
    world.faults.enter(Operation.CREATE_DISK);
    Identifiers.check("disk id", id);
    if (role == Role.IMAGE || size < SMALLEST_DISK) {
      throw new PortLayerException(
          Code.INVALID_ARGUMENT,
          "disk %s: must be a scratch disk or volume of 16 MiB or more, but is %s of %d bytes"
              .formatted(id, role, size));
    }
    long rounded = (size + MEBIBYTE - 1) / MEBIBYTE * MEBIBYTE;
    World.Disk wanted =
        new World.Disk(new DiskAttachment(id, role, "memory:" + id, false), rounded);
    World.Disk existing = world.disks.putIfAbsent(id, wanted);
    if (existing != null && !existing.equals(wanted)) {
      throw new PortLayerException(
          Code.ALREADY_EXISTS, "disk %s exists with another size or role".formatted(id));
    }
    return wanted.attachment();
  }

  @Override
  public void deleteDisk(String id) {
    world.faults.enter(Operation.DELETE_DISK);
    if (world.inUse(id)) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "disk %s is attached to a containerVM that is powered on".formatted(id));
    }
    world.disks.remove(id);
  }

  @Override
  public List<DiskAttachment> listDisks() {
    return world.disks.values().stream().map(World.Disk::attachment).toList();
  }

  @Override
  public StorageUsage usage() {
    long images = world.images.values().stream().mapToLong(Image::size).sum();
    long disks = world.disks.size() * MEBIBYTE;
    return new StorageUsage(CAPACITY, CAPACITY - images - disks, images, disks);
  }
}
