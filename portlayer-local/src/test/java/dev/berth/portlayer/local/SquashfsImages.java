package dev.berth.portlayer.local;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.HostCommands;
import dev.berth.portlayer.local.storage.ImageDisks;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.GarbagePolicy;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageConfiguration;
import dev.berth.portlayer.storage.ImageRequest;
import dev.berth.portlayer.storage.StorageUsage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/**
 * Images without a registry: references that are known from the start, each the machine's static
 * busybox with all its applets.
 */
final class SquashfsImages implements ImageDisks {
  static final String IMAGE = "registry.test/busybox:1";
  static final String OTHER = "registry.test/other:1";

  private final Path directory;
  private final Map<String, Image> images = new ConcurrentHashMap<>();

  SquashfsImages(Path directory) {
    this.directory = AtomicFiles.directory(directory);
    for (String reference : List.of(IMAGE, OTHER)) {
      if (Files.exists(disk(reference))) {
        images.put(reference, make(reference));
      }
    }
  }

  @Override
  public Image pullImage(ImageRequest request) {
    String reference = request.reference();
    if (reference.isBlank() || reference.contains(" ") || reference.contains("//")) {
      throw new PortLayerException(
          Code.INVALID_ARGUMENT, "image \"%s\" is not a reference".formatted(reference));
    }
    if (!Set.of(IMAGE, OTHER).contains(reference)) {
      throw new PortLayerException(Code.NOT_FOUND, "there is no image " + reference);
    }
    return images.computeIfAbsent(reference, this::make);
  }

  private synchronized Image make(String reference) {
    String digest = digest(reference);
    Path disk = disk(reference);
    if (!Files.exists(disk)) {
      build(disk);
    }
    return new Image(
        "sha256:" + digest,
        List.of(reference.substring(0, reference.indexOf(':')) + "@sha256:" + digest),
        List.of(reference),
        ImageConfiguration.empty(),
        new DiskAttachment("image-" + digest, DiskAttachment.Role.IMAGE, disk.toString(), true),
        disk.toFile().length(),
        Instant.now());
  }

  private Path disk(String reference) {
    return directory.resolve(digest(reference) + ".squashfs");
  }

  private static String digest(String reference) {
    return (reference.equals(IMAGE) ? "a" : "b").repeat(64);
  }

  private void build(Path disk) {
    HostCommands commands = new HostCommands(Optional.empty());
    try {
      Path root = Files.createTempDirectory(directory, "root");
      for (String name : List.of("bin", "etc", "proc", "sys", "dev", "tmp", "root", "run")) {
        Files.createDirectory(root.resolve(name));
      }
      Path busybox = root.resolve("bin/busybox");
      Files.copy(Path.of("/bin/busybox"), busybox);
      for (String applet : commands.run(List.of(busybox.toString(), "--list")).lines().toList()) {
        if (!applet.equals("busybox")) {
          Files.createSymbolicLink(root.resolve("bin").resolve(applet), Path.of("busybox"));
        }
      }
      // Debian's busybox lacks this one.
      Path printenv = root.resolve("bin/printenv");
      Files.writeString(printenv, "#!/bin/sh\neval \"echo \\\"\\$$1\\\"\"\n");
      Files.setPosixFilePermissions(printenv, PosixFilePermissions.fromString("rwxr-xr-x"));
      Files.writeString(root.resolve("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
      Files.writeString(root.resolve("etc/group"), "root:x:0:\n");
      commands.run(
          List.of(
              "mksquashfs",
              root.toString(),
              disk.toString(),
              "-noappend",
              "-quiet",
              "-no-progress",
              "-all-root",
              "-comp",
              "lz4"));
      AtomicFiles.delete(root);
    } catch (IOException e) {
      throw AtomicFiles.failure("build", disk, e);
    }
  }

  @Override
  public Optional<Image> findImage(String reference) {
    return images.values().stream()
        .filter(
            image ->
                image.id().equals(reference)
                    || image.references().contains(reference)
                    || image.repositoryDigests().contains(reference))
        .findFirst();
  }

  @Override
  public List<Image> listImages() {
    return List.copyOf(images.values());
  }

  @Override
  public void removeImage(String id, Set<String> inUse) {
    if (inUse.contains(id)) {
      throw new PortLayerException(Code.FAILED_PRECONDITION, "image %s is in use".formatted(id));
    }
    images.values().stream()
        .filter(image -> image.id().equals(id))
        .forEach(image -> AtomicFiles.delete(Path.of(image.disk().location())));
    images.values().removeIf(image -> image.id().equals(id));
  }

  @Override
  public List<String> collectGarbage(GarbagePolicy policy, Set<String> inUse, StorageUsage usage) {
    List<String> removed =
        images.values().stream()
            .filter(image -> policy.highPercent() == 0 && !inUse.contains(image.id()))
            .filter(image -> image.lastUsed().plus(policy.minimumAge()).isBefore(Instant.now()))
            .map(Image::id)
            .toList();
    images.values().removeIf(image -> removed.contains(image.id()));
    return removed;
  }

  @Override
  public long occupied() {
    try (Stream<Path> files = Files.list(directory)) {
      return files.mapToLong(file -> file.toFile().length()).sum();
    } catch (IOException e) {
      throw AtomicFiles.failure("list", directory, e);
    }
  }

  @Override
  public void close() {}
}
