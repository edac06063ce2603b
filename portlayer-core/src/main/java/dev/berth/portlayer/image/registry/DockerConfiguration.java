package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Deadline;
import dev.berth.portlayer.storage.RegistryCredentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A Docker configuration file as a source of credentials: {@code auths}, {@code credHelpers} and
 * {@code credsStore}. Read anew for each pull, so that a rotated password counts at once.
 */
final class DockerConfiguration {
  private static final JsonMapper JSON = new JsonMapper();
  private final Path file;

  DockerConfiguration(Path file) {
    this.file = file;
  }

  /**
   * The credentials that may serve a repository, in no particular order.
   *
   * @throws PortLayerException FAILED_PRECONDITION when the file is unreadable or malformed, or a
   *     helper fails
   */
  List<RegistryCredentials> credentials(String host, Deadline deadline) {
    JsonNode root = read();
    List<RegistryCredentials> found = new ArrayList<>(auths(root));
    helper(root, host)
        .flatMap(name -> CredentialHelper.get(name, serverAddress(host), host, deadline))
        .ifPresent(found::add);
    return found;
  }

  private JsonNode read() {
    try {
      return JSON.readTree(Files.readString(file));
    } catch (IOException e) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION, "cannot read Docker configuration file " + file, e);
    } catch (JacksonException e) {
      // Without the cause: the parser quotes its input, which holds secrets.
      throw new PortLayerException(
          Code.FAILED_PRECONDITION, "Docker configuration file " + file + " is not valid JSON");
    }
  }

  private List<RegistryCredentials> auths(JsonNode root) {
    try {
      return DockerAuths.read(root.path("auths"));
    } catch (IllegalArgumentException e) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "Docker configuration file %s: %s".formatted(file, e.getMessage()));
    }
  }

  private static Optional<String> helper(JsonNode root, String host) {
    JsonNode helpers = root.path("credHelpers");
    String name = helpers.path(host).asString("");
    if (name.isEmpty()) {
      name = helpers.path(serverAddress(host)).asString("");
    }
    if (name.isEmpty()) {
      name = root.path("credsStore").asString("");
    }
    return name.isEmpty() ? Optional.empty() : Optional.of(name);
  }

  /** Docker stores its hub's credentials under a name from its first days. */
  private static String serverAddress(String host) {
    return host.equals("docker.io") ? "https://index.docker.io/v1/" : host;
  }
}
