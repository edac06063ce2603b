package dev.berth.cli.quickstart;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/** Files that nobody but their owner reads. */
final class PrivateFiles {
  private PrivateFiles() {}

  /** Makes a folder that only the owner can enter. Idempotent. */
  static void directory(Path directory) {
    try {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } catch (IOException e) {
      throw new QuickstartException("cannot make " + directory + ": " + e.getMessage(), e);
    }
  }

  /** Writes a file, whole or not at all. */
  static void write(Path file, String content) {
    write(file, content.getBytes(StandardCharsets.UTF_8));
  }

  static void copy(Path from, Path to) {
    try {
      write(to, Files.readAllBytes(from));
    } catch (IOException e) {
      throw new QuickstartException("cannot copy " + from + ": " + e.getMessage(), e);
    }
  }

  private static void write(Path file, byte[] content) {
    try {
      Path partial = file.resolveSibling(file.getFileName() + ".new");
      Files.deleteIfExists(partial);
      Files.createFile(
          partial,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.write(partial, content);
      Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new QuickstartException("cannot write " + file + ": " + e.getMessage(), e);
    }
  }
}
