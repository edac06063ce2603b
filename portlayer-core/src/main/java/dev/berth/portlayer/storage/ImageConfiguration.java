package dev.berth.portlayer.storage;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an image says about the process to run, after the OCI image specification's {@code config}
 * object.
 *
 * @param environment {@code NAME=value}, in the image's order
 * @param user {@code ""}, {@code name}, {@code uid}, {@code name:group} or {@code uid:gid}
 * @param workingDirectory empty when the image names none
 * @param stopSignal such as {@code SIGQUIT}; empty when the image names none
 * @param volumes the paths the image declares as volumes
 */
public record ImageConfiguration(
    List<String> entrypoint,
    List<String> command,
    List<String> environment,
    String user,
    String workingDirectory,
    Optional<String> stopSignal,
    List<String> volumes,
    Map<String, String> labels) {
  public ImageConfiguration {
    entrypoint = List.copyOf(entrypoint);
    command = List.copyOf(command);
    environment = List.copyOf(environment);
    volumes = List.copyOf(volumes);
    labels = Map.copyOf(labels);
  }

  /** An image that says nothing. */
  public static ImageConfiguration empty() {
    return new ImageConfiguration(
        List.of(), List.of(), List.of(), "", "", Optional.empty(), List.of(), Map.of());
  }
}
