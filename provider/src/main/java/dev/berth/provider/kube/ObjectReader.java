package dev.berth.provider.kube;

import dev.berth.provider.translate.ClusterObjects;
import dev.berth.provider.translate.VolumeException;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.cache.Indexer;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What pods refer to, read as a node may: ConfigMaps and Secrets one by one, services from an
 * informer.
 */
public final class ObjectReader {
  private static final Logger LOG = LoggerFactory.getLogger(ObjectReader.class);

  /** The Node authorizer learns of a pod a little after this node does. */
  private static final List<Duration> FORBIDDEN_RETRIES =
      List.of(Duration.ofMillis(50), Duration.ofMillis(200), Duration.ofMillis(750));

  private final KubernetesClient client;
  private final Indexer<Service> services;
  private final TokenCache tokens;
  private final FreshReads<Name, ConfigMap> configMaps =
      new FreshReads<>(map -> Boolean.TRUE.equals(map.getImmutable()));
  private final FreshReads<Name, Secret> secrets =
      new FreshReads<>(secret -> Boolean.TRUE.equals(secret.getImmutable()));

  private record Name(String namespace, String name) {}

  public ObjectReader(KubernetesClient client, RawApi api, Indexer<Service> services) {
    this.client = client;
    this.services = services;
    this.tokens = new TokenCache(api);
  }

  /**
   * Objects as they were at {@code notBefore} or later.
   *
   * @param notBefore of {@link System#nanoTime}
   */
  public ClusterObjects notBefore(long notBefore) {
    return new Reads(notBefore);
  }

  /** Forgets a pod's tokens, and which immutable objects it has. */
  public void forget(String podUid) {
    tokens.forget(podUid);
    configMaps.forget(podUid);
    secrets.forget(podUid);
  }

  /** Forgets objects that nobody asks for any more. */
  public void forgetUnused() {
    configMaps.forgetUnused();
    secrets.forgetUnused();
  }

  private final class Reads implements ClusterObjects {
    private final long notBefore;

    private Reads(long notBefore) {
      this.notBefore = notBefore;
    }

    @Override
    public Optional<ConfigMap> configMap(Pod pod, String name) {
      String namespace = pod.getMetadata().getNamespace();
      return configMaps.get(
          new Name(namespace, name),
          pod.getMetadata().getUid(),
          notBefore,
          () -> patiently(() -> client.configMaps().inNamespace(namespace).withName(name).get()));
    }

    @Override
    public Optional<Secret> secret(Pod pod, String name) {
      String namespace = pod.getMetadata().getNamespace();
      return secrets.get(
          new Name(namespace, name),
          pod.getMetadata().getUid(),
          notBefore,
          () -> patiently(() -> client.secrets().inNamespace(namespace).withName(name).get()));
    }

    @Override
    public String token(Pod pod, String audience, long expirationSeconds) {
      return patiently(() -> tokens.get(pod, audience, expirationSeconds)).orElseThrow();
    }

    @Override
    public List<Service> services(String namespace) {
      return services.byIndex("namespace", namespace);
    }
  }

  private static <T> Optional<T> patiently(Supplier<T> read) {
    for (Duration pause : FORBIDDEN_RETRIES) {
      try {
        return Optional.ofNullable(read.get());
      } catch (KubernetesClientException | ApiException refused) {
        if (status(refused) != 403) {
          throw unreadable(refused);
        }
        LOG.debug("Forbidden, which may pass: {}", refused.getMessage());
        pause(pause);
      }
    }
    try {
      return Optional.ofNullable(read.get());
    } catch (KubernetesClientException | ApiException refused) {
      throw unreadable(refused);
    }
  }

  private static int status(RuntimeException refused) {
    return switch (refused) {
      case KubernetesClientException answer -> answer.getCode();
      case ApiException answer -> answer.status();
      default -> 0;
    };
  }

  private static void pause(Duration pause) {
    try {
      Thread.sleep(pause);
    } catch (InterruptedException cause) {
      Thread.currentThread().interrupt();
      VolumeException interrupted = new VolumeException("interrupted");
      interrupted.initCause(cause);
      throw interrupted;
    }
  }

  private static VolumeException unreadable(RuntimeException refused) {
    VolumeException failure =
        new VolumeException(Objects.requireNonNullElse(refused.getMessage(), refused.toString()));
    failure.initCause(refused);
    return failure;
  }
}
