package dev.berth.portlayer.local.host;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.StorageFailures;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * The state of record: JSON files that are there as a whole or not at all, readable by the owner
 * alone.
 */
public final class AtomicFiles {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          // A file written by a newer Berth stays readable.
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  private static final FileAttribute<Set<PosixFilePermission>> OWNER_FILE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_DIRECTORY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private AtomicFiles() {}

  /** The value as compact JSON. */
  public static byte[] json(Object value) {
    return JSON.writeValueAsBytes(value);
  }

  /** Writes a value as JSON in place of the file, durable when the method returns. */
  public static void write(Path file, Object value) {
    try {
      Path unfinished = Files.createTempFile(parent(file), ".new", null, OWNER_FILE);
      try {
        try (FileChannel channel = FileChannel.open(unfinished, StandardOpenOption.WRITE)) {
          ByteBuffer bytes = ByteBuffer.wrap(json(value));
          while (bytes.hasRemaining()) {
            channel.write(bytes);
          }
          channel.force(true);
        }
        move(unfinished, file);
      } finally {
        Files.deleteIfExists(unfinished);
      }
    } catch (IOException e) {
      throw failure("write", file, e);
    }
  }

  /** Puts a finished file or directory in its place, durably. */
  public static void move(Path from, Path to) throws IOException {
    Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel directory = FileChannel.open(parent(to), StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  /**
   * Reads a value; empty when there is no such file.
   *
   * @throws PortLayerException CORRUPT when it is not what was written
   */
  public static <T> Optional<T> read(Path file, Class<T> type) {
    try {
      return Optional.of(JSON.readValue(Files.readAllBytes(file), type));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (JacksonException e) {
      throw new PortLayerException(
          Code.CORRUPT, "%s is damaged: %s".formatted(file, e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw failure("read", file, e);
    }
  }

  /** Parses one JSON text; null when it is none. */
  public static <T> @Nullable T parse(byte[] text, int offset, int length, Class<T> type) {
    try {
      return JSON.readValue(text, offset, length, type);
    } catch (JacksonException e) {
      return null;
    }
  }

  /** Makes a directory that only the owner can enter, with its parents. Idempotent. */
  public static Path directory(Path directory) {
    try {
      return Files.createDirectories(directory, OWNER_DIRECTORY);
    } catch (IOException e) {
      throw failure("make the directory", directory, e);
    }
  }

  /** Deletes a file or a whole directory. Idempotent. */
  public static void delete(Path root) {
    try {
      Files.walkFileTree(
          root,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.deleteIfExists(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
              if (e instanceof NoSuchFileException) {
                return FileVisitResult.CONTINUE;
              }
              throw e;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException e)
                throws IOException {
              Files.deleteIfExists(directory);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw failure("delete", root, e);
    }
  }

  /** The failure of a file operation, told apart by what the caller can do about it. */
  public static PortLayerException failure(String what, Path file, IOException e) {
    if (e instanceof ClosedByInterruptException) {
      // The channel has set the thread's interrupt flag already.
      return new PortLayerException(
          Code.INTERRUPTED, "Interrupted: cannot " + what + " " + file, e);
    }
    String text = String.valueOf(e.getMessage());
    Code code = StorageFailures.isFull(text) ? Code.RESOURCE_EXHAUSTED : Code.INTERNAL;
    return new PortLayerException(code, "cannot %s %s: %s".formatted(what, file, text), e);
  }

  private static Path parent(Path file) {
    Path parent = file.getParent();
    if (parent == null) {
      throw new IllegalArgumentException(file + " has no parent directory");
    }
    return parent;
  }
}
