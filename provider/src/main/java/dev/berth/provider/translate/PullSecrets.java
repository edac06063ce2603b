package dev.berth.provider.translate;

import dev.berth.portlayer.image.registry.DockerAuths;
import dev.berth.portlayer.storage.RegistryCredentials;
import dev.berth.provider.lifecycle.PodEvent;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/** Registry credentials out of a pod's imagePullSecrets. */
public final class PullSecrets {
  private static final ObjectMapper JSON = JsonMapper.builder().build();

  private PullSecrets() {}

  /**
   * Secrets that are missing, malformed or not of a registry's type are told and passed over: an
   * image may be public, or another secret enough.
   */
  public static List<RegistryCredentials> of(
      Pod pod, ClusterObjects cluster, Consumer<PodEvent> events) {
    List<RegistryCredentials> credentials = new ArrayList<>();
    List<String> failed = new ArrayList<>();
    for (LocalObjectReference reference : pod.getSpec().getImagePullSecrets()) {
      String name = reference.getName();
      if (name == null || name.isEmpty()) {
        continue; // The API server lets it pass, and it names nothing.
      }
      Optional<Secret> secret = cluster.secret(pod, name);
      if (secret.isEmpty() || !read(secret.get(), credentials)) {
        failed.add(name);
      }
    }
    if (!failed.isEmpty()) {
      events.accept(
          PodEvent.warning(
              "FailedToRetrieveImagePullSecret",
              "Unable to retrieve some image pull secrets (%s); attempting to pull the image may not succeed."
                  .formatted(String.join(", ", failed))));
    }
    return credentials;
  }

  /** False, and nothing taken from it, when any of it is malformed. */
  private static boolean read(Secret secret, List<RegistryCredentials> credentials) {
    try {
      JsonNode registries =
          switch (secret.getType()) {
            case "kubernetes.io/dockerconfigjson" ->
                json(secret, ".dockerconfigjson").path("auths");
            case "kubernetes.io/dockercfg" -> json(secret, ".dockercfg");
            case null, default -> throw new IllegalArgumentException("not a registry's");
          };
      credentials.addAll(DockerAuths.read(registries));
      return true;
    } catch (JacksonException | IllegalArgumentException malformed) {
      return false;
    }
  }

  private static JsonNode json(Secret secret, String key) {
    String data = secret.getData() == null ? null : secret.getData().get(key);
    if (data == null) {
      throw new IllegalArgumentException("no " + key);
    }
    return JSON.readTree(decode(data));
  }

  private static String decode(String base64) {
    return new String(
        Base64.getDecoder().decode(base64.replaceAll("[\r\n]", "")), StandardCharsets.UTF_8);
  }
}
