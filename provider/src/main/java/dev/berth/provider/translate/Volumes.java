package dev.berth.provider.translate;

import dev.berth.portlayer.compute.ProcessSpec.Mount;
import dev.berth.portlayer.compute.ProcessSpec.Source;
import dev.berth.provider.lifecycle.Names;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EmptyDirVolumeSource;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Where a container's volumes come from and go to. */
final class Volumes {
  /** The smallest disk the storage service makes. */
  static final long SMALLEST_DISK = 16 << 20;

  private Volumes() {}

  /** A disk of its own, for an emptyDir whose size limit is to hold. */
  record VolumeDisk(String id, long size) {}

  /**
   * An emptyDir with a size limit is a disk of that size, so that the limit is one: a write beyond
   * it fails, instead of the pod being evicted some time later. One without is a directory on the
   * scratch disk.
   */
  static List<VolumeDisk> disks(Pod pod) {
    return pod.getSpec().getVolumes().stream()
        .filter(volume -> volume.getEmptyDir() != null && limited(volume.getEmptyDir()))
        .map(
            volume ->
                new VolumeDisk(
                    Names.volumeDisk(pod.getMetadata().getUid(), volume.getName()),
                    Math.max(SMALLEST_DISK, Quantities.whole(volume.getEmptyDir().getSizeLimit()))))
        .toList();
  }

  private static boolean limited(EmptyDirVolumeSource source) {
    return !"Memory".equals(source.getMedium()) && size(source.getSizeLimit()) > 0;
  }

  private static long size(Quantity limit) {
    return limit == null ? 0 : Quantities.whole(limit);
  }

  /**
   * @param environment for subPathExpr
   * @throws ConfigurationException when a subPathExpr names an unknown variable
   */
  static List<Mount> mounts(Pod pod, Container container, Map<String, String> environment) {
    Map<String, Volume> volumes = new LinkedHashMap<>();
    pod.getSpec().getVolumes().forEach(volume -> volumes.put(volume.getName(), volume));
    return container.getVolumeMounts().stream()
        .map(mount -> mount(pod, container.getName(), mount, volumes, environment))
        .toList();
  }

  private static Mount mount(
      Pod pod,
      String container,
      VolumeMount mount,
      Map<String, Volume> volumes,
      Map<String, String> environment) {
    Volume volume =
        Optional.ofNullable(volumes.get(mount.getName()))
            .orElseThrow(
                () ->
                    new ConfigurationException(
                        "cannot find volume \"%s\" to mount into container \"%s\""
                            .formatted(mount.getName(), container)));
    boolean files = volume.getEmptyDir() == null;
    return new Mount(
        absolute(mount.getMountPath()),
        source(pod, volume),
        files || Boolean.TRUE.equals(mount.getReadOnly()),
        subPath(mount, environment));
  }

  /** The API server lets relative paths pass; they begin at the root. */
  private static String absolute(String path) {
    return path.startsWith("/") ? path : "/" + path;
  }

  private static String subPath(VolumeMount mount, Map<String, String> environment) {
    String expression = mount.getSubPathExpr();
    String path =
        expression == null || expression.isEmpty()
            ? Optional.ofNullable(mount.getSubPath()).orElse("")
            : Expansion.expandStrictly(
                expression,
                environment,
                "subPath for volumeMount \"%s\"".formatted(mount.getName()));
    if (path.startsWith("/") || List.of(path.split("/", -1)).contains("..")) {
      throw new ConfigurationException(
          "subPath \"%s\" of volumeMount \"%s\" must be relative and without \"..\""
              .formatted(path, mount.getName()));
    }
    return path;
  }

  private static Source source(Pod pod, Volume volume) {
    EmptyDirVolumeSource empty = volume.getEmptyDir();
    if (empty == null) {
      return new Source.Files(volume.getName());
    }
    if ("Memory".equals(empty.getMedium())) {
      return new Source.Memory(volume.getName(), size(empty.getSizeLimit()));
    }
    return limited(empty)
        ? new Source.Disk(Names.volumeDisk(pod.getMetadata().getUid(), volume.getName()))
        : new Source.ScratchDirectory(volume.getName());
  }
}
