package dev.berth.portlayer.vsphere.storage;

import dev.berth.portlayer.Identifiers;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.client.Progress;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The virtual disks of one VCH, each in a folder of its own that appears when the disk is whole:
 * {@code images/DIGEST}, {@code disks/ID.ROLE.MEBIBYTES}, and {@code templates/ROLE.MEBIBYTES},
 * which disks are copied from. A folder's name tells all there is to know of its disk.
 */
final class DatastoreDisks {
  private static final Logger LOG = LoggerFactory.getLogger(DatastoreDisks.class);
  private static final long MEBIBYTE = 1L << 20;
  private static final long SMALLEST = 16 * MEBIBYTE;

  private final DatastoreFiles files;
  private final DatastorePath images;
  private final DatastorePath disks;
  private final DatastorePath templates;
  private final DatastorePath unfinished;
  private final Path local;
  private final Map<String, Disk> known = new ConcurrentHashMap<>();
  private final Set<String> knownImages = ConcurrentHashMap.newKeySet();
  private final Set<String> knownTemplates = ConcurrentHashMap.newKeySet();

  /** Images and templates are few; disks, which come and go, share some locks. */
  private final Map<String, ReentrantLock> locks = new ConcurrentHashMap<>();

  private record Disk(String id, Role role, long mebibytes) {
    String folder() {
      return id + "." + template();
    }

    String template() {
      return role.name().toLowerCase(Locale.ROOT) + "." + mebibytes;
    }

    static Optional<Disk> parse(String folder) {
      int size = folder.lastIndexOf('.');
      int role = size < 1 ? -1 : folder.lastIndexOf('.', size - 1);
      if (role < 1 || !folder.substring(size + 1).matches("[0-9]{1,12}")) {
        return Optional.empty();
      }
      String name = folder.substring(role + 1, size).toUpperCase(Locale.ROOT);
      return Stream.of(Role.SCRATCH, Role.VOLUME)
          .filter(known -> known.name().equals(name))
          .map(
              known ->
                  new Disk(
                      folder.substring(0, role), known, Long.parseLong(folder.substring(size + 1))))
          .findFirst();
    }
  }

  /**
   * Looks at what is there, and removes what is unfinished.
   *
   * @param root the VCH's folder
   * @param local a folder on this machine for what is about to be uploaded
   */
  DatastoreDisks(DatastoreFiles files, DatastorePath root, Path local) {
    this.files = files;
    this.local = local;
    images = root.resolve("images");
    disks = root.resolve("disks");
    templates = root.resolve("templates");
    unfinished = root.resolve("unfinished");
    files.delete(unfinished);
    List.of(images, disks, templates, unfinished).forEach(files::makeDirectory);
    knownImages.addAll(files.list(images));
    knownTemplates.addAll(files.list(templates));
    files.list(disks).stream()
        .map(Disk::parse)
        .flatMap(Optional::stream)
        .forEach(disk -> known.put(disk.id(), disk));
  }

  /** The digests of the images whose disks are whole. */
  Set<String> images() {
    return Set.copyOf(knownImages);
  }

  DatastorePath image(String digest) {
    return images.resolve(digest).resolve(Vmdk.DESCRIPTOR);
  }

  /**
   * Uploads an image's disk unless it is there.
   *
   * @param content a file system of whole sectors
   */
  void addImage(String digest, Path content) {
    locked(
        "image " + digest,
        () -> {
          if (!knownImages.contains(digest)) {
            publish(
                images.resolve(digest),
                folder -> uploadDisk(folder, content, Vmdk.uuid(digest), digest));
            knownImages.add(digest);
          }
        });
  }

  void removeImage(String digest) {
    locked(
        "image " + digest,
        () -> {
          knownImages.remove(digest);
          retire(images.resolve(digest));
        });
  }

  /**
   * Takes a folder away at once: what is left under its name is whole, even when this breaks off.
   * Idempotent.
   */
  private void retire(DatastorePath place) {
    DatastorePath folder = unfinished.resolve(UUID.randomUUID().toString());
    try {
      files.move(place, folder);
    } catch (PortLayerException e) {
      if (e.code() != Code.NOT_FOUND) {
        throw e;
      }
      return;
    }
    abandon(folder);
  }

  DiskAttachment create(String id, Role role, long size) {
    Identifiers.check("disk id", id);
    if (role == Role.IMAGE || size < SMALLEST) {
      throw new PortLayerException(
          Code.INVALID_ARGUMENT,
          "disk %s: %s of %d bytes; it must be scratch or a volume of at least %d"
              .formatted(id, role, size, SMALLEST));
    }
    Disk wanted = new Disk(id, role, (size + MEBIBYTE - 1) / MEBIBYTE);
    locked(lockOf(id), () -> make(wanted));
    return attachment(wanted);
  }

  private void make(Disk wanted) {
    Disk present = known.get(wanted.id());
    if (present != null && !present.equals(wanted)) {
      throw new PortLayerException(
          Code.ALREADY_EXISTS,
          "disk %s exists as %s of %d MiB, not %s of %d"
              .formatted(
                  present.id(),
                  present.role(),
                  present.mebibytes(),
                  wanted.role(),
                  wanted.mebibytes()));
    }
    if (present != null) {
      return;
    }
    DatastorePath template = template(wanted);
    publish(
        disks.resolve(wanted.folder()),
        folder -> {
          DatastorePath copy = folder.resolve(Vmdk.DESCRIPTOR);
          files.copyDisk(template, copy);
          files.setUuid(copy, Vmdk.punctuated(Vmdk.uuid(wanted.id())));
        });
    known.put(wanted.id(), wanted);
  }

  private DatastorePath template(Disk wanted) {
    String name = wanted.template();
    locked(
        "template " + name,
        () -> {
          if (!knownTemplates.contains(name)) {
            publish(templates.resolve(name), folder -> uploadTemplate(folder, wanted));
            knownTemplates.add(name);
          }
        });
    return templates.resolve(name).resolve(Vmdk.DESCRIPTOR);
  }

  /** Uploads what is not zero, and lets vCenter add the rest. */
  private void uploadTemplate(DatastorePath folder, Disk wanted) {
    Path file = local.resolve("template-" + UUID.randomUUID());
    long size = wanted.mebibytes() * MEBIBYTE;
    try {
      Ext4.make(file, wanted.role(), size);
      uploadDisk(folder, file, Vmdk.uuid(wanted.template()), "template " + wanted.template());
      if (file.toFile().length() < size) {
        files.extendDisk(folder.resolve(Vmdk.DESCRIPTOR), size);
      }
    } finally {
      deleteLocal(file);
    }
  }

  private void uploadDisk(DatastorePath folder, Path content, String uuid, String what) {
    Path descriptor = local.resolve("descriptor-" + UUID.randomUUID());
    try {
      long size = padded(content);
      Files.writeString(descriptor, Vmdk.descriptor(size, uuid));
      files.upload(content, folder.resolve(Vmdk.EXTENT), log(what));
      files.upload(descriptor, folder.resolve(Vmdk.DESCRIPTOR), (sent, total) -> {});
    } catch (IOException e) {
      throw new PortLayerException(Code.INTERNAL, "Cannot prepare the disk of " + what, e);
    } finally {
      deleteLocal(descriptor);
    }
  }

  /** Disks have whole sectors; a file system does not mind what is behind it. */
  private static long padded(Path content) throws IOException {
    long size = Files.size(content);
    long sectors = (size + Vmdk.SECTOR - 1) / Vmdk.SECTOR;
    if (sectors * Vmdk.SECTOR != size) {
      try (RandomAccessFile file = new RandomAccessFile(content.toFile(), "rw")) {
        file.setLength(sectors * Vmdk.SECTOR);
      }
    }
    return sectors * Vmdk.SECTOR;
  }

  private static Progress log(String what) {
    int[] told = {0};
    return (sent, total) -> {
      int tenths = (int) (sent * 10 / total);
      if (tenths != told[0] && total > 100 * MEBIBYTE) {
        LOG.info("Uploading the disk of {}: {} of {} MiB", what, sent >> 20, total >> 20);
      }
      told[0] = tenths;
    };
  }

  private static void deleteLocal(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      LOG.warn("Cannot delete {}", file, e);
    }
  }

  /** Makes a folder's content out of sight and then the folder at once. */
  private void publish(DatastorePath place, Consumer<DatastorePath> content) {
    DatastorePath folder = unfinished.resolve(UUID.randomUUID().toString());
    files.makeDirectory(folder);
    boolean done = false;
    try {
      content.accept(folder);
      done = moved(folder, place);
    } finally {
      if (!done) {
        abandon(folder);
      }
    }
  }

  /** Or else there is one, which an attempt has moved whose answer was lost: it is whole, too. */
  private boolean moved(DatastorePath folder, DatastorePath place) {
    try {
      files.move(folder, place);
      return true;
    } catch (PortLayerException e) {
      if (e.code() != Code.ALREADY_EXISTS) {
        throw e;
      }
      return false;
    }
  }

  private void abandon(DatastorePath folder) {
    try {
      files.delete(folder);
    } catch (PortLayerException e) {
      LOG.debug("{} is left until the next start", folder, e);
    }
  }

  void delete(String id) {
    Identifiers.check("disk id", id);
    locked(
        lockOf(id),
        () -> {
          Disk disk = known.get(id);
          if (disk != null) {
            files.delete(disks.resolve(disk.folder()));
            known.remove(id);
          }
        });
  }

  List<DiskAttachment> list() {
    return known.values().stream().map(this::attachment).toList();
  }

  /** Whether it is one of this datastore's, an image's too. */
  boolean exists(DiskAttachment disk) {
    if (disk.role() != Role.IMAGE) {
      return Optional.ofNullable(known.get(disk.id()))
          .map(this::attachment)
          .equals(Optional.of(disk));
    }
    return knownImages.stream()
        .anyMatch(digest -> image(digest).toString().equals(disk.location()));
  }

  /** Bytes that the disks may come to. */
  long provisioned() {
    return known.values().stream().mapToLong(disk -> disk.mebibytes() * MEBIBYTE).sum();
  }

  private DiskAttachment attachment(Disk disk) {
    DatastorePath file = disks.resolve(disk.folder()).resolve(Vmdk.DESCRIPTOR);
    return new DiskAttachment(disk.id(), disk.role(), file.toString(), false);
  }

  private static String lockOf(String diskId) {
    return "disk " + Math.floorMod(diskId.hashCode(), 64);
  }

  private void locked(String what, Runnable work) {
    ReentrantLock lock = locks.computeIfAbsent(what, key -> new ReentrantLock());
    lock.lock();
    try {
      work.run();
    } finally {
      lock.unlock();
    }
  }
}
