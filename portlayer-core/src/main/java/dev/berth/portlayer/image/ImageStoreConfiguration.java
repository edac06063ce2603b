package dev.berth.portlayer.image;

import dev.berth.portlayer.image.registry.RegistryConfiguration;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where images are kept and where they may come from.
 *
 * @param directory belongs to the store alone; made when missing
 * @param registries those that need configuration: mirrors, plain HTTP, a certificate authority
 * @param allowedRegistries {@code host[:port]} or {@code host/path} prefixes as in normalised
 *     references, such as {@code docker.io/library}; empty allows every registry
 * @param dockerConfiguration a Docker configuration file (config.json) whose credentials, and
 *     credential helpers, serve every pull; read at each
 * @param parallelLayers how many layers are downloaded and decompressed at once, at least 1
 * @param stallTimeout how long a registry may be silent before the connection is given up
 * @param squashfsTool the sqfstar program, a path or a name on the PATH
 */
public record ImageStoreConfiguration(
    Path directory,
    List<RegistryConfiguration> registries,
    List<String> allowedRegistries,
    Optional<Path> dockerConfiguration,
    int parallelLayers,
    Duration stallTimeout,
    String squashfsTool) {
  public ImageStoreConfiguration {
    directory = directory.toAbsolutePath().normalize();
    registries = List.copyOf(registries);
    allowedRegistries = List.copyOf(allowedRegistries);
    if (parallelLayers < 1) {
      throw new IllegalArgumentException(
          "parallelLayers must be at least 1, but is " + parallelLayers);
    }
    if (stallTimeout.isNegative() || stallTimeout.isZero()) {
      throw new IllegalArgumentException("stallTimeout must be positive, but is " + stallTimeout);
    }
  }

  /** Every registry by HTTPS, no stored credentials, three layers at once, 30 s of silence. */
  public static ImageStoreConfiguration defaults(Path directory) {
    return new ImageStoreConfiguration(
        directory, List.of(), List.of(), Optional.empty(), 3, Duration.ofSeconds(30), "sqfstar");
  }

  public ImageStoreConfiguration withRegistries(List<RegistryConfiguration> changed) {
    return with(draft -> draft.registries = changed);
  }

  public ImageStoreConfiguration withAllowedRegistries(List<String> changed) {
    return with(draft -> draft.allowedRegistries = changed);
  }

  public ImageStoreConfiguration withDockerConfiguration(Path file) {
    return with(draft -> draft.dockerConfiguration = Optional.of(file));
  }

  public ImageStoreConfiguration withStallTimeout(Duration changed) {
    return with(draft -> draft.stallTimeout = changed);
  }

  public ImageStoreConfiguration withSquashfsTool(String changed) {
    return with(draft -> draft.squashfsTool = changed);
  }

  private ImageStoreConfiguration with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return new ImageStoreConfiguration(
        directory,
        draft.registries,
        draft.allowedRegistries,
        draft.dockerConfiguration,
        parallelLayers,
        draft.stallTimeout,
        draft.squashfsTool);
  }

  /** What can be changed. */
  private static final class Draft {
    private List<RegistryConfiguration> registries;
    private List<String> allowedRegistries;
    private Optional<Path> dockerConfiguration;
    private Duration stallTimeout;
    private String squashfsTool;

    private Draft(ImageStoreConfiguration from) {
      registries = from.registries;
      allowedRegistries = from.allowedRegistries;
      dockerConfiguration = from.dockerConfiguration;
      stallTimeout = from.stallTimeout;
      squashfsTool = from.squashfsTool;
    }
  }
}
