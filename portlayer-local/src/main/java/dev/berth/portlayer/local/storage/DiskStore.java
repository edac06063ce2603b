package dev.berth.portlayer.local.storage;

import dev.berth.portlayer.Identifiers;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.StorageFailures;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.HostCommands;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.DiskAttachment.Role;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * Scratch disks and volumes: sparse files with an ext4 file system, one each. The name holds all
 * there is to know but the size: {@code <id>.scratch}, {@code <id>.volume}.
 */
final class DiskStore {
  private static final long MEBIBYTE = 1L << 20;
  private static final long SMALLEST = 16 * MEBIBYTE;

  private final Path directory;
  private final HostCommands commands;
  private final ConcurrentHashMap<String, ReentrantLock> locks = new ConcurrentHashMap<>();

  DiskStore(Path directory, HostCommands commands) {
    this.directory = AtomicFiles.directory(directory);
    this.commands = commands;
  }

  DiskAttachment create(String id, Role role, long size) {
    Identifiers.check("disk id", id);
    if (role == Role.IMAGE) {
      throw new PortLayerException(
          Code.INVALID_ARGUMENT, "disk %s: image disks are made by pulling".formatted(id));
    }
    if (size < SMALLEST) {
      throw new PortLayerException(
          Code.INVALID_ARGUMENT,
          "disk %s: size is %d bytes, the smallest is %d".formatted(id, size, SMALLEST));
    }
    long rounded = (size + MEBIBYTE - 1) / MEBIBYTE * MEBIBYTE;
    ReentrantLock lock = locks.computeIfAbsent(id, key -> new ReentrantLock());
    lock.lock();
    try {
      Optional<DiskAttachment> present = find(id);
      if (present.isPresent()) {
        requireSame(present.get(), role, rounded);
        return present.get();
      }
      return make(id, role, rounded);
    } finally {
      lock.unlock();
      locks.remove(id, lock);
    }
  }

  private DiskAttachment make(String id, Role role, long size) {
    Path disk = path(id, role);
    Path unfinished = directory.resolve("." + disk.getFileName());
    try {
      Files.deleteIfExists(unfinished);
      try {
        try (RandomAccessFile file = new RandomAccessFile(unfinished.toFile(), "rw")) {
          file.setLength(size);
        }
        format(unfinished, role);
        AtomicFiles.move(unfinished, disk);
      } finally {
        Files.deleteIfExists(unfinished);
      }
    } catch (IOException e) {
      throw AtomicFiles.failure("make the disk", disk, e);
    } catch (PortLayerException e) {
      throw e.code() == Code.RESOURCE_EXHAUSTED
          ? StorageFailures.full("cannot make disk " + id, e)
          : e;
    }
    return attachment(id, role);
  }

  /**
   * Scratch has no journal: what it holds is worth nothing once its VM is lost, and a journal's
   * blocks would be written twice. Tables are initialised by the guest when it needs them.
   */
  private void format(Path disk, Role role) {
    List<String> line =
        new ArrayList<>(List.of("mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-E"));
    line.add("lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0");
    if (role == Role.SCRATCH) {
      line.addAll(List.of("-O", "^has_journal"));
    }
    line.add(disk.toString());
    commands.run(line);
  }

  private void requireSame(DiskAttachment present, Role role, long size) {
    long there = size(present);
    if (present.role() != role || there != size) {
      throw new PortLayerException(
          Code.ALREADY_EXISTS,
          "disk %s exists as %s of %d bytes, not %s of %d"
              .formatted(present.id(), present.role(), there, role, size));
    }
  }

  Optional<DiskAttachment> find(String id) {
    return Stream.of(Role.SCRATCH, Role.VOLUME)
        .filter(role -> Files.exists(path(id, role)))
        .map(role -> attachment(id, role))
        .findFirst();
  }

  void delete(String id) {
    Identifiers.check("disk id", id);
    for (Role role : List.of(Role.SCRATCH, Role.VOLUME)) {
      AtomicFiles.delete(path(id, role));
    }
  }

  List<DiskAttachment> list() {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> String.valueOf(file.getFileName()))
          .filter(name -> !name.startsWith("."))
          .map(DiskStore::split)
          .flatMap(Optional::stream)
          .map(parts -> attachment(parts.id(), parts.role()))
          .toList();
    } catch (IOException e) {
      throw AtomicFiles.failure("list", directory, e);
    }
  }

  /** Bytes that the disks really occupy, which the JDK cannot tell of a sparse file. */
  long occupied() {
    // It fails when a disk goes meanwhile, and gives the sum of the others all the same.
    String said =
        commands.attempt(List.of("du", "-s", "-B1", directory.toString()), "").output().strip();
    try {
      return Long.parseLong(said.split("\\s", 2)[0]);
    } catch (NumberFormatException e) {
      throw new PortLayerException(Code.INTERNAL, "du told no size of " + directory, e);
    }
  }

  private static long size(DiskAttachment disk) {
    return Path.of(disk.location()).toFile().length();
  }

  private record Parts(String id, Role role) {}

  private static Optional<Parts> split(String name) {
    int dot = name.lastIndexOf('.');
    String suffix = name.substring(dot + 1);
    return Stream.of(Role.SCRATCH, Role.VOLUME)
        .filter(role -> dot > 0 && suffix(role).equals(suffix))
        .map(role -> new Parts(name.substring(0, dot), role))
        .findFirst();
  }

  private Path path(String id, Role role) {
    return directory.resolve(id + "." + suffix(role));
  }

  private DiskAttachment attachment(String id, Role role) {
    return new DiskAttachment(id, role, path(id, role).toString(), false);
  }

  private static String suffix(Role role) {
    return role.name().toLowerCase(Locale.ROOT);
  }
}
