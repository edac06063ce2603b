package dev.berth.provider.translate;

import dev.berth.portlayer.storage.RegistryCredentials;
import dev.berth.provider.lifecycle.PodEvent;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/** Registry credentials out of a pod's imagePullSecrets. */
public final class PullSecrets {
  private static final ObjectMapper JSON = JsonMapper.builder().build();

  private PullSecrets() {}

  /** A secret that is missing or malformed is told and passed over, as the kubelet does. */
  public static List<RegistryCredentials> of(
      Pod pod, ClusterObjects cluster, Consumer<PodEvent> events) {
    List<RegistryCredentials> credentials = new ArrayList<>();
    for (LocalObjectReference reference : pod.getSpec().getImagePullSecrets()) {
      Optional<Secret> secret =
          cluster.secret(pod.getMetadata().getNamespace(), reference.getName());
      if (secret.isEmpty() || !read(secret.get(), credentials)) {
        events.accept(
            PodEvent.warning(
                "FailedToRetrieveImagePullSecret",
                "Unable to retrieve some image pull secrets (%s); attempting to pull the image may not succeed."
                    .formatted(reference.getName())));
      }
    }
    return credentials;
  }

  private static boolean read(Secret secret, List<RegistryCredentials> credentials) {
    Map<String, String> data = secret.getData() == null ? Map.of() : secret.getData();
    try {
      String configuration = data.get(".dockerconfigjson");
      if (configuration != null) {
        add(JSON.readTree(decode(configuration)).path("auths"), credentials);
        return true;
      }
      String older = data.get(".dockercfg");
      if (older != null) {
        add(JSON.readTree(decode(older)), credentials);
        return true;
      }
      return false;
    } catch (JacksonException | IllegalArgumentException malformed) {
      return false;
    }
  }

  private static void add(JsonNode registries, List<RegistryCredentials> credentials) {
    registries
        .properties()
        .forEach(
            entry -> {
              RegistryCredentials found = credentials(entry.getKey(), entry.getValue());
              if (found != null) {
                credentials.add(found);
              }
            });
  }

  private static @Nullable RegistryCredentials credentials(String registry, JsonNode entry) {
    String scope = scope(registry);
    String identity = entry.path("identitytoken").asString("");
    if (!identity.isEmpty()) {
      return new RegistryCredentials(scope, "", identity, true);
    }
    String user = entry.path("username").asString("");
    String password = entry.path("password").asString("");
    String both = entry.path("auth").asString("");
    if (user.isEmpty() && !both.isEmpty()) {
      String[] parts = decode(both).split(":", 2);
      user = parts[0];
      password = parts.length == 2 ? parts[1] : "";
    }
    return user.isEmpty() ? null : new RegistryCredentials(scope, user, password, false);
  }

  /** {@code https://index.docker.io/v1/} and the like come down to host and path. */
  private static String scope(String registry) {
    String scope = registry.replaceFirst("^https?://", "").replaceFirst("/v[12]/?$", "");
    scope = scope.replaceFirst("/+$", "");
    return scope.equals("index.docker.io") ? "docker.io" : scope;
  }

  private static String decode(String base64) {
    return new String(Base64.getMimeDecoder().decode(base64), StandardCharsets.UTF_8);
  }
}
