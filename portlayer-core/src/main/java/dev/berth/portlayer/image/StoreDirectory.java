package dev.berth.portlayer.image;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.image.content.StorageFailures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The store's files. A file under {@code blobs}, {@code disks} or {@code images} is complete: it
 * was written elsewhere, synced, and renamed. A disk counts only with its record, which comes last.
 *
 * <ul>
 *   <li>{@code images/<hex>.json}: a record; its modification time is when the image was last used
 *   <li>{@code disks/<hex>.squashfs}: the disk
 *   <li>{@code blobs/<hex>}: a compressed layer, kept because other images are likely to share it
 *   <li>{@code partial/<hex>}: a download under way or interrupted
 *   <li>{@code work}: of this process only, emptied at each opening
 * </ul>
 */
final class StoreDirectory implements AutoCloseable {
  private final Path root;
  private final Path images;
  private final Path disks;
  private final Path blobs;
  private final Path partial;
  private final Path work;
  private final FileChannel lock;

  private StoreDirectory(Path root, FileChannel lock) {
    this.root = root;
    this.images = root.resolve("images");
    this.disks = root.resolve("disks");
    this.blobs = root.resolve("blobs");
    this.partial = root.resolve("partial");
    this.work = root.resolve("work");
    this.lock = lock;
  }

  /**
   * Takes the directory for this process and removes what an earlier one left unfinished.
   *
   * @throws PortLayerException FAILED_PRECONDITION when another process has it
   */
  static StoreDirectory open(Path root) {
    @Nullable FileChannel lock = null;
    try {
      Files.createDirectories(root);
      lock = lock(root);
      StoreDirectory directory = new StoreDirectory(root, lock);
      directory.prepare();
      return directory;
    } catch (IOException e) {
      close(lock);
      throw StorageFailures.of("failed to open image store " + root, e);
    }
  }

  private static FileChannel lock(Path root) throws IOException {
    FileChannel channel =
        FileChannel.open(root.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      FileLock held = channel.tryLock();
      if (held != null) {
        return channel;
      }
    } catch (OverlappingFileLockException e) {
      // Refused below like a lock of another process.
    }
    channel.close();
    throw new PortLayerException(
        Code.FAILED_PRECONDITION,
        "image store %s is used by another process: give each its own directory".formatted(root));
  }

  private void prepare() throws IOException {
    for (Path directory : List.of(images, disks, blobs, partial, work)) {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    for (Path left : files(work)) {
      Files.deleteIfExists(left);
    }
    for (Path left : files(images)) {
      if (!left.toString().endsWith(".json")) {
        Files.deleteIfExists(left);
      }
    }
  }

  /** Every complete image; records and disks without each other are removed. */
  List<ImageRecord> load() throws IOException {
    List<ImageRecord> records = new ArrayList<>();
    for (Path file : files(images)) {
      ImageRecord record = read(file);
      if (record == null) {
        Files.deleteIfExists(file);
      } else {
        records.add(record);
      }
    }
    List<Path> known = records.stream().map(record -> disk(record.id())).toList();
    for (Path disk : files(disks)) {
      if (!known.contains(disk)) {
        Files.deleteIfExists(disk);
      }
    }
    return records;
  }

  private @Nullable ImageRecord read(Path file) throws IOException {
    try {
      ImageRecord record = ImageRecord.parse(Files.readAllBytes(file));
      boolean complete =
          file.equals(record(record.id())) && Files.size(disk(record.id())) == record.size();
      return complete ? record : null;
    } catch (NoSuchFileException e) {
      return null;
    } catch (RuntimeException e) {
      return null; // Not what this store wrote: as good as absent, and pulled again when asked for.
    }
  }

  /** Writes or replaces a record, atomically and durably; leaves its last use as it is. */
  void save(ImageRecord record, Instant lastUsed) throws IOException {
    Path temporary = images.resolve(record.id().hex() + ".new");
    try (FileChannel channel =
        FileChannel.open(
            temporary,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer json = ByteBuffer.wrap(record.toJson());
      while (json.hasRemaining()) {
        channel.write(json);
      }
      channel.force(true);
    } catch (IOException e) {
      Files.deleteIfExists(temporary);
      throw e;
    }
    Files.setLastModifiedTime(temporary, FileTime.from(lastUsed));
    move(temporary, record(record.id()));
  }

  /** Moves a finished file to its place, durably. */
  void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    sync(to.resolveSibling("."));
  }

  /** Moves a file not yet synced to its place, durably. */
  void syncAndMove(Path from, Path to) throws IOException {
    sync(from);
    move(from, to);
  }

  private static void sync(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  void delete(ImageRecord record) throws IOException {
    Files.deleteIfExists(record(record.id()));
    Files.deleteIfExists(disk(record.id()));
  }

  void touch(Digest id, Instant now) throws IOException {
    Files.setLastModifiedTime(record(id), FileTime.from(now));
  }

  Instant lastUsed(Digest id) throws IOException {
    return Files.getLastModifiedTime(record(id)).toInstant();
  }

  Path record(Digest id) {
    return images.resolve(id.hex() + ".json");
  }

  Path disk(Digest id) {
    return disks.resolve(id.hex() + ".squashfs");
  }

  Path blob(Digest digest) {
    return blobs.resolve(digest.hex());
  }

  Path partial(Digest digest) {
    return partial.resolve(digest.hex());
  }

  Path work(String name) {
    return work.resolve(name);
  }

  List<Path> blobs() throws IOException {
    return files(blobs);
  }

  List<Path> partials() throws IOException {
    return files(partial);
  }

  /** Bytes of everything in the store. */
  long usedBytes() throws IOException {
    long sum = 0;
    for (Path directory : List.of(images, disks, blobs, partial, work)) {
      for (Path file : files(directory)) {
        sum += sizeOf(file);
      }
    }
    return sum;
  }

  static long sizeOf(Path file) throws IOException {
    try {
      return Files.size(file);
    } catch (NoSuchFileException e) {
      return 0;
    }
  }

  private static List<Path> files(Path directory) throws IOException {
    try (Stream<Path> listing = Files.list(directory)) {
      return listing.toList();
    }
  }

  private static void close(@Nullable FileChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // The lock ends with the process at the latest.
    }
  }

  /** Gives the directory free. */
  @Override
  public void close() {
    close(lock);
  }

  @Override
  public String toString() {
    return root.toString();
  }
}
