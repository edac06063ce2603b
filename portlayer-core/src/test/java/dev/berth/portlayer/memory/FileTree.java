package dev.berth.portlayer.memory;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.FilesVolume;
import dev.berth.portlayer.compute.ProcessSpec.Mount;
import dev.berth.portlayer.compute.ProcessSpec.Source;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The files of one containerVM: a scratch layer for each attempt, and what is mounted into it. */
final class FileTree {
  private final Map<String, FilesVolume> volumes = new ConcurrentHashMap<>();
  private final Map<String, Map<String, byte[]>> directories = new ConcurrentHashMap<>();

  /** A power-on: what lived in memory is gone. */
  void boot() {
    volumes.clear();
    directories.keySet().removeIf(key -> key.startsWith("memory:"));
  }

  void write(FilesVolume volume) {
    for (FilesVolume.Entry entry : volume.files()) {
      boolean escapes = List.of(entry.path().split("/", -1)).contains("..");
      if (escapes || entry.path().startsWith("/") || entry.path().isEmpty()) {
        throw new PortLayerException(
            Code.INVALID_ARGUMENT,
            "volume %s: path \"%s\" must be relative and without \"..\""
                .formatted(volume.name(), entry.path()));
      }
    }
    volumes.put(volume.name(), volume);
  }

  boolean has(Source source) {
    return !(source instanceof Source.Files files) || volumes.containsKey(files.volume());
  }

  /** A fresh scratch layer with an attempt's mounts. */
  View view(List<Mount> mounts, boolean readOnlyRoot) {
    return new View(mounts, readOnlyRoot);
  }

  /** What a process sees. */
  final class View {
    private final List<Mount> mounts;
    private final boolean readOnlyRoot;
    private final Map<String, byte[]> scratch = new ConcurrentHashMap<>();

    private View(List<Mount> mounts, boolean readOnlyRoot) {
      this.mounts =
          mounts.stream()
              .sorted(Comparator.comparingInt((Mount mount) -> -mount.destination().length()))
              .toList();
      this.readOnlyRoot = readOnlyRoot;
    }

    Optional<byte[]> read(String path) {
      Optional<Mount> mount = mountOf(path);
      if (mount.isEmpty()) {
        return Optional.ofNullable(scratch.get(path));
      }
      String inside = inside(mount.get(), path);
      return switch (mount.get().source()) {
        case Source.Files files -> file(files.volume(), inside);
        case Source other -> Optional.ofNullable(directory(other).get(inside));
      };
    }

    /** Returns whether the file could be written. */
    boolean write(String path, String text, boolean append) {
      Optional<Mount> mount = mountOf(path);
      if (mount.isPresent() ? readOnly(mount.get()) : readOnlyRoot && !path.startsWith("/dev/")) {
        return false;
      }
      Map<String, byte[]> files = mount.map(Mount::source).map(this::directory).orElse(scratch);
      String name = mount.map(found -> inside(found, path)).orElse(path);
      byte[] before = append ? files.getOrDefault(name, new byte[0]) : new byte[0];
      String whole = new String(before, StandardCharsets.UTF_8) + text;
      files.put(name, whole.getBytes(StandardCharsets.UTF_8));
      return true;
    }

    private static boolean readOnly(Mount mount) {
      return mount.readOnly() || mount.source() instanceof Source.Files;
    }

    private Optional<Mount> mountOf(String path) {
      return mounts.stream()
          .filter(
              mount ->
                  path.equals(mount.destination()) || path.startsWith(mount.destination() + "/"))
          .findFirst();
    }

    private static String inside(Mount mount, String path) {
      String rest = path.substring(mount.destination().length());
      String whole = mount.subPath().isEmpty() ? rest : "/" + mount.subPath() + rest;
      return whole.startsWith("/") ? whole.substring(1) : whole;
    }

    private Map<String, byte[]> directory(Source source) {
      String key =
          switch (source) {
            case Source.ScratchDirectory scratchDirectory -> "scratch:" + scratchDirectory.name();
            case Source.Memory memory -> "memory:" + memory.name();
            case Source.Disk disk -> "disk:" + disk.diskId();
            case Source.Files files -> "files:" + files.volume();
          };
      return directories.computeIfAbsent(key, absent -> new ConcurrentHashMap<>());
    }

    private Optional<byte[]> file(String volume, String path) {
      FilesVolume files = volumes.get(volume);
      if (files == null) {
        return Optional.empty();
      }
      return files.files().stream()
          .filter(entry -> entry.path().equals(path))
          .map(FilesVolume.Entry::content)
          .findFirst();
    }
  }
}
