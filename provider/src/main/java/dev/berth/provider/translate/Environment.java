package dev.berth.provider.translate;

import dev.berth.provider.ProviderConfiguration.HostAndPort;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapKeySelector;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarSource;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretKeySelector;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A container's environment as the kubelet composes it: envFrom, then env, then services. */
final class Environment {
  private final Container container;
  private final DownwardValues downward;
  private final ClusterObjects cluster;
  private final String namespace;
  private final Map<String, String> result = new LinkedHashMap<>();

  private Environment(Container container, DownwardValues downward, ClusterObjects cluster) {
    this.container = container;
    this.downward = downward;
    this.cluster = cluster;
    this.namespace = downward.pod().getMetadata().getNamespace();
  }

  /**
   * @throws ConfigurationException when something that is not optional is missing
   */
  static Map<String, String> of(
      Container container,
      DownwardValues downward,
      ClusterObjects cluster,
      Optional<HostAndPort> apiServer) {
    Boolean links = downward.pod().getSpec().getEnableServiceLinks();
    Map<String, String> services =
        ServiceEnvironment.of(
            cluster,
            downward.pod().getMetadata().getNamespace(),
            links == null || links,
            apiServer);
    Environment environment = new Environment(container, downward, cluster);
    container.getEnvFrom().forEach(environment::addAll);
    container.getEnv().forEach(variable -> environment.add(variable, services));
    services.forEach(environment.result::putIfAbsent);
    return environment.result;
  }

  private void addAll(EnvFromSource source) {
    String prefix = source.getPrefix() == null ? "" : source.getPrefix();
    values(source).forEach((key, value) -> result.put(prefix + key, value));
  }

  private Map<String, String> values(EnvFromSource source) {
    if (source.getConfigMapRef() != null) {
      String name = source.getConfigMapRef().getName();
      return optional(source.getConfigMapRef().getOptional())
          ? cluster.configMap(downward.pod(), name).map(ConfigMap::getData).orElse(Map.of())
          : orEmpty(configMap(name).getData());
    }
    if (source.getSecretRef() != null) {
      String name = source.getSecretRef().getName();
      Map<String, String> encoded =
          optional(source.getSecretRef().getOptional())
              ? cluster.secret(downward.pod(), name).map(Secret::getData).orElse(Map.of())
              : orEmpty(secret(name).getData());
      Map<String, String> decoded = new LinkedHashMap<>();
      encoded.forEach((key, value) -> decoded.put(key, decode(value, name, key)));
      return decoded;
    }
    return Map.of();
  }

  private void add(EnvVar variable, Map<String, String> services) {
    if (variable.getValue() != null && !variable.getValue().isEmpty()) {
      Map<String, String> known = new HashMap<>(services);
      known.putAll(result);
      result.put(variable.getName(), Expansion.expand(variable.getValue(), known));
    } else if (variable.getValueFrom() != null) {
      from(variable.getValueFrom()).ifPresent(value -> result.put(variable.getName(), value));
    } else {
      result.put(variable.getName(), "");
    }
  }

  private Optional<String> from(EnvVarSource source) {
    if (source.getFieldRef() != null) {
      return Optional.of(downward.field(source.getFieldRef()));
    }
    if (source.getResourceFieldRef() != null) {
      return Optional.of(downward.resource(source.getResourceFieldRef(), container));
    }
    if (source.getConfigMapKeyRef() != null) {
      return fromConfigMap(source.getConfigMapKeyRef());
    }
    if (source.getSecretKeyRef() != null) {
      return fromSecret(source.getSecretKeyRef());
    }
    return Optional.of("");
  }

  private Optional<String> fromConfigMap(ConfigMapKeySelector selector) {
    boolean optional = optional(selector.getOptional());
    Optional<ConfigMap> found = cluster.configMap(downward.pod(), selector.getName());
    if (found.isEmpty() && optional) {
      return Optional.empty();
    }
    String value = orEmpty(configMap(selector.getName()).getData()).get(selector.getKey());
    return required(value, optional, selector.getKey(), "ConfigMap", selector.getName());
  }

  private Optional<String> fromSecret(SecretKeySelector selector) {
    boolean optional = optional(selector.getOptional());
    Optional<Secret> found = cluster.secret(downward.pod(), selector.getName());
    if (found.isEmpty() && optional) {
      return Optional.empty();
    }
    String value = orEmpty(secret(selector.getName()).getData()).get(selector.getKey());
    return required(value, optional, selector.getKey(), "Secret", selector.getName())
        .map(encoded -> decode(encoded, selector.getName(), selector.getKey()));
  }

  private Optional<String> required(
      @Nullable String value, boolean optional, String key, String kind, String name) {
    if (value == null && !optional) {
      throw new ConfigurationException(
          "couldn't find key %s in %s %s/%s".formatted(key, kind, namespace, name));
    }
    return Optional.ofNullable(value);
  }

  private ConfigMap configMap(String name) {
    return cluster
        .configMap(downward.pod(), name)
        .orElseThrow(
            () -> new ConfigurationException("configmap \"%s\" not found".formatted(name)));
  }

  private Secret secret(String name) {
    return cluster
        .secret(downward.pod(), name)
        .orElseThrow(() -> new ConfigurationException("secret \"%s\" not found".formatted(name)));
  }

  private static boolean optional(Boolean flag) {
    return flag != null && flag;
  }

  private static Map<String, String> orEmpty(Map<String, String> data) {
    return data == null ? Map.of() : data;
  }

  /** Refuses what is no text: another value than the secret's would only fail later. */
  private String decode(String base64, String secret, String key) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(Base64.getDecoder().decode(base64)))
          .toString();
    } catch (CharacterCodingException cause) {
      ConfigurationException failure =
          new ConfigurationException(
              "key %s in Secret %s/%s is not UTF-8 text, which an environment variable must be"
                  .formatted(key, namespace, secret));
      failure.initCause(cause);
      throw failure;
    }
  }
}
