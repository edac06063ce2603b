package dev.berth.portlayer.image.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.berth.portlayer.storage.RegistryCredentials;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** Credentials by registry in Docker's form, as its configuration file and pull secrets have it. */
public final class DockerAuths {
  private DockerAuths() {}

  /**
   * The credentials in an {@code auths} object, in its order. An entry without any is passed over.
   *
   * @throws IllegalArgumentException when an entry is malformed; the message names it, and holds
   *     nothing of it
   */
  public static List<RegistryCredentials> read(JsonNode auths) {
    List<RegistryCredentials> found = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : auths.properties()) {
      credentials(entry.getKey(), entry.getValue()).ifPresent(found::add);
    }
    return found;
  }

  private static Optional<RegistryCredentials> credentials(String scope, JsonNode entry) {
    String identity = entry.path("identitytoken").asString("");
    if (!identity.isEmpty()) {
      return Optional.of(new RegistryCredentials(scope, "", identity, true));
    }
    String user = entry.path("username").asString("");
    String password = entry.path("password").asString("");
    String auth = entry.path("auth").asString("");
    if (!auth.isEmpty()) {
      String[] parts = decode(scope, auth).split(":", 2);
      if (parts.length < 2) {
        throw new IllegalArgumentException(
            "auths[\"%s\"].auth is not user:password".formatted(scope));
      }
      user = parts[0];
      // Docker's own tools once filled it up with these.
      password = parts[1].replaceAll("\\x00+$", "");
    }
    return user.isEmpty()
        ? Optional.empty()
        : Optional.of(new RegistryCredentials(scope, user, password, false));
  }

  private static String decode(String scope, String auth) {
    try {
      return new String(Base64.getDecoder().decode(auth.replaceAll("\\s", "")), UTF_8);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("auths[\"%s\"].auth is not base64".formatted(scope), e);
    }
  }
}
