package dev.berth.cli.quickstart;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Files of the host, and directories that several installations share: the last one removes them.
 */
final class HostFiles {
  /** Goes with a restart of the host, as what it tells of does. */
  static final Path RUN = Path.of("/run/berth");

  private HostFiles() {}

  /** What is in a directory, in order; nothing when there is none. */
  static List<String> names(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
    } catch (NoSuchFileException e) {
      return List.of();
    } catch (IOException e) {
      throw new QuickstartException("cannot read " + directory + ": " + e.getMessage(), e);
    }
  }

  /** What a file holds, if there is one. */
  static Optional<String> read(Path file) {
    try {
      return Optional.of(Files.readString(file).strip());
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new QuickstartException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** Deletes a file, or a folder with all that is in it. Idempotent. */
  static void delete(Path path) {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> all = Files.walk(path)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    } catch (IOException | UncheckedIOException e) {
      throw new QuickstartException("cannot delete " + path + ": " + e.getMessage(), e);
    }
  }

  /** Leaves one that another installation uses. Idempotent. */
  static void deleteIfEmpty(Path directory) {
    try {
      Files.deleteIfExists(directory);
    } catch (DirectoryNotEmptyException e) {
      return;
    } catch (IOException e) {
      throw new QuickstartException("cannot delete " + directory + ": " + e.getMessage(), e);
    }
  }
}
