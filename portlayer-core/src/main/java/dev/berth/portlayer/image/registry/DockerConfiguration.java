package dev.berth.portlayer.image.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Deadline;
import dev.berth.portlayer.storage.RegistryCredentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
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
    List<RegistryCredentials> found = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : root.path("auths").properties()) {
      credentials(entry.getKey(), entry.getValue()).ifPresent(found::add);
    }
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

  private Optional<RegistryCredentials> credentials(String scope, JsonNode entry) {
    String identityToken = entry.path("identitytoken").asString("");
    if (!identityToken.isEmpty()) {
      return Optional.of(new RegistryCredentials(scope, "", identityToken, true));
    }
    String user = entry.path("username").asString("");
    String password = entry.path("password").asString("");
    String auth = entry.path("auth").asString("");
    if (!auth.isEmpty()) {
      String pair = decode(scope, auth);
      int colon = pair.indexOf(':');
      user = colon < 0 ? pair : pair.substring(0, colon);
      password = colon < 0 ? "" : pair.substring(colon + 1).replaceAll("\0+$", "");
    }
    return user.isEmpty() && password.isEmpty()
        ? Optional.empty()
        : Optional.of(new RegistryCredentials(scope, user, password, false));
  }

  private String decode(String scope, String auth) {
    try {
      return new String(Base64.getDecoder().decode(auth), UTF_8);
    } catch (IllegalArgumentException e) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "Docker configuration file %s: auths[\"%s\"].auth is not base64".formatted(file, scope));
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
