package dev.berth.provider.translate;

import dev.berth.portlayer.compute.FilesVolume;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.DownwardAPIVolumeFile;
import io.fabric8.kubernetes.api.model.KeyToPath;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.ServiceAccountTokenProjection;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The content of a pod's in-memory volumes, as it is now. */
public final class VolumeFiles {
  private static final int DEFAULT_MODE = 0644;
  private static final int TOKEN_MODE = 0600;
  private static final long TOKEN_SECONDS = 3600;
  private static final int LONGEST_PATH = 4096;
  private static final int LONGEST_NAME = 255;

  private final Pod pod;
  private final DownwardValues downward;
  private final ClusterObjects cluster;
  private final Map<String, FilesVolume.Entry> files = new LinkedHashMap<>();
  private boolean token;

  private VolumeFiles(DownwardValues downward, ClusterObjects cluster) {
    this.pod = downward.pod();
    this.downward = downward;
    this.cluster = cluster;
  }

  /**
   * Every volume of the pod that is made of files.
   *
   * @throws VolumeException when something that is not optional is missing
   */
  public static List<FilesVolume> of(DownwardValues downward, ClusterObjects cluster) {
    return downward.pod().getSpec().getVolumes().stream()
        .filter(volume -> volume.getEmptyDir() == null)
        .map(volume -> volume(volume, downward, cluster))
        .toList();
  }

  private static FilesVolume volume(
      Volume volume, DownwardValues downward, ClusterObjects cluster) {
    try {
      return new VolumeFiles(downward, cluster).build(volume);
    } catch (VolumeException | ConfigurationException cause) {
      VolumeException failure =
          new VolumeException(
              "MountVolume.SetUp failed for volume \"%s\" : %s"
                  .formatted(volume.getName(), cause.getMessage()));
      failure.initCause(cause);
      throw failure;
    }
  }

  private FilesVolume build(Volume volume) {
    if (volume.getConfigMap() != null) {
      var source = volume.getConfigMap();
      configMap(
          source.getName(), source.getItems(), mode(source.getDefaultMode()), source.getOptional());
    } else if (volume.getSecret() != null) {
      var source = volume.getSecret();
      secret(
          source.getSecretName(),
          source.getItems(),
          mode(source.getDefaultMode()),
          source.getOptional());
    } else if (volume.getDownwardAPI() != null) {
      downward(volume.getDownwardAPI().getItems(), mode(volume.getDownwardAPI().getDefaultMode()));
    } else if (volume.getProjected() != null) {
      int mode = mode(volume.getProjected().getDefaultMode());
      volume.getProjected().getSources().forEach(source -> project(source, mode));
    }
    Container container = pod.getSpec().getContainers().getFirst();
    return new FilesVolume(
        volume.getName(),
        List.copyOf(files.values()),
        token ? SecurityMapping.runAsUser(pod, container) : OptionalInt.empty(),
        SecurityMapping.filesystemGroup(pod));
  }

  private void project(VolumeProjection source, int mode) {
    if (source.getConfigMap() != null) {
      var part = source.getConfigMap();
      configMap(part.getName(), part.getItems(), mode, part.getOptional());
    } else if (source.getSecret() != null) {
      var part = source.getSecret();
      secret(part.getName(), part.getItems(), mode, part.getOptional());
    } else if (source.getDownwardAPI() != null) {
      downward(source.getDownwardAPI().getItems(), mode);
    } else if (source.getServiceAccountToken() != null) {
      token(source.getServiceAccountToken(), mode);
    }
  }

  private void token(ServiceAccountTokenProjection source, int mode) {
    Long seconds = source.getExpirationSeconds();
    String value =
        cluster.token(
            pod,
            Optional.ofNullable(source.getAudience()).orElse(""),
            seconds == null ? TOKEN_SECONDS : seconds);
    Container container = pod.getSpec().getContainers().getFirst();
    boolean owned =
        SecurityMapping.runAsUser(pod, container).isPresent()
            || SecurityMapping.filesystemGroup(pod).isPresent();
    token = true;
    put(source.getPath(), value.getBytes(StandardCharsets.UTF_8), owned ? TOKEN_MODE : mode);
  }

  private void downward(List<DownwardAPIVolumeFile> items, int mode) {
    Container container = pod.getSpec().getContainers().getFirst();
    for (DownwardAPIVolumeFile item : items) {
      String value =
          item.getFieldRef() != null
              ? downward.field(item.getFieldRef())
              : downward.resource(item.getResourceFieldRef(), container);
      put(
          item.getPath(),
          value.getBytes(StandardCharsets.UTF_8),
          item.getMode() == null ? mode : item.getMode());
    }
  }

  private void configMap(String name, List<KeyToPath> items, int mode, Boolean optional) {
    Optional<ConfigMap> found = cluster.configMap(pod, name);
    if (found.isEmpty() && !set(optional)) {
      throw new VolumeException("configmap \"%s\" not found".formatted(name));
    }
    Map<String, byte[]> data = new TreeMap<>();
    found.ifPresent(
        map -> {
          text(map.getData())
              .forEach((key, value) -> data.put(key, value.getBytes(StandardCharsets.UTF_8)));
          text(map.getBinaryData())
              .forEach((key, value) -> data.put(key, Base64.getDecoder().decode(value)));
        });
    add(data, items, mode, set(optional), "configmap references non-existent config key: ");
  }

  private void secret(String name, List<KeyToPath> items, int mode, Boolean optional) {
    Optional<Secret> found = cluster.secret(pod, name);
    if (found.isEmpty() && !set(optional)) {
      throw new VolumeException("secret \"%s\" not found".formatted(name));
    }
    Map<String, byte[]> data = new TreeMap<>();
    found.ifPresent(
        secret ->
            text(secret.getData())
                .forEach((key, value) -> data.put(key, Base64.getDecoder().decode(value))));
    add(data, items, mode, set(optional), "references non-existent secret key: ");
  }

  private void add(
      Map<String, byte[]> data, List<KeyToPath> items, int mode, boolean optional, String missing) {
    if (items.isEmpty()) {
      data.forEach((key, value) -> put(key, value, mode));
      return;
    }
    for (KeyToPath item : items) {
      byte[] value = data.get(item.getKey());
      if (value != null) {
        put(item.getPath(), value, item.getMode() == null ? mode : item.getMode());
      } else if (!optional) {
        throw new VolumeException(missing + item.getKey());
      }
    }
  }

  /** A later source's file replaces an earlier one's of the same path. */
  private void put(String given, byte[] content, int mode) {
    String path = clean(given);
    files.put(path, new FilesVolume.Entry(path, content, mode));
  }

  /** The path by its shortest name; refuses what the kubelet's AtomicWriter refuses. */
  private static String clean(String path) {
    if (path.startsWith("/")) {
      throw new VolumeException("invalid path: must be relative path: " + path);
    }
    if (path.getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH) {
      throw new VolumeException(
          "invalid path: must be less than or equal to %d characters".formatted(LONGEST_PATH));
    }
    List<String> names =
        Stream.of(path.split("/", -1)).filter(n -> !n.isEmpty() && !n.equals(".")).toList();
    if (names.isEmpty()) {
      throw new VolumeException("invalid path: must not be empty: \"%s\"".formatted(path));
    }
    if (names.contains("..")) {
      throw new VolumeException("invalid path: must not contain '..': " + path);
    }
    if (names.getFirst().startsWith("..")) {
      throw new VolumeException("invalid path: must not start with '..': " + path);
    }
    if (names.stream().anyMatch(n -> n.getBytes(StandardCharsets.UTF_8).length > LONGEST_NAME)) {
      throw new VolumeException(
          "invalid path: filenames must be less than or equal to %d characters"
              .formatted(LONGEST_NAME));
    }
    return String.join("/", names);
  }

  private static Map<String, String> text(Map<String, String> data) {
    return data == null ? Map.of() : data;
  }

  private static int mode(Integer mode) {
    return mode == null ? DEFAULT_MODE : mode;
  }

  private static boolean set(Boolean flag) {
    return flag != null && flag;
  }
}
