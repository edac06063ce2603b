package dev.berth.provider.kube;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.DoubleSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Service account tokens bound to pods, renewed by the kubelet's rule: at 80% of their life, after
 * a day at the latest, and a few seconds earlier by chance, so that pods that started together do
 * not all ask at once. A token's age is taken from when it was asked for, so that a clock that
 * differs from the API server's changes nothing.
 */
final class TokenCache {
  private static final Logger LOG = LoggerFactory.getLogger(TokenCache.class);
  private static final Duration LONGEST = Duration.ofHours(24);

  private static final Duration JITTER = Duration.ofSeconds(10);

  private final Issuer issuer;
  private final InstantSource clock;
  private final DoubleSupplier chance;
  private final Map<Key, Held> held = new ConcurrentHashMap<>();

  private record Key(String podUid, String account, String audience, long seconds) {}

  /** Answers a request for a token of a service account. */
  @FunctionalInterface
  interface Issuer {
    TokenRequest issue(String namespace, String account, TokenRequest request);
  }

  private record Held(String token, Instant renewAt, Instant expires) {
    @Override
    public String toString() {
      return "Held[renewAt=" + renewAt + "]";
    }
  }

  TokenCache(RawApi api) {
    this(
        (namespace, account, request) ->
            api.post(
                "/api/v1/namespaces/%s/serviceaccounts/%s/token".formatted(namespace, account),
                request,
                TokenRequest.class),
        InstantSource.system(),
        () -> ThreadLocalRandom.current().nextDouble());
  }

  /**
   * @param chance 0 to 1
   */
  TokenCache(Issuer issuer, InstantSource clock, DoubleSupplier chance) {
    this.issuer = issuer;
    this.clock = clock;
    this.chance = chance;
  }

  String get(Pod pod, String audience, long seconds) {
    Key key =
        new Key(
            pod.getMetadata().getUid(), pod.getSpec().getServiceAccountName(), audience, seconds);
    Held known = held.get(key);
    Instant now = clock.instant();
    if (known != null && now.isBefore(known.renewAt())) {
      return known.token();
    }
    try {
      return renew(pod, key, now);
    } catch (ApiException failure) {
      if (known == null || !now.isBefore(known.expires())) {
        throw failure;
      }
      LOG.warn("Pod {} keeps its token for now: {}", key.podUid(), failure.getMessage());
      return known.token();
    }
  }

  private String renew(Pod pod, Key key, Instant asked) {
    TokenRequest answer =
        issuer.issue(pod.getMetadata().getNamespace(), key.account(), request(pod, key));
    // The server may grant another life than the one asked for.
    Long granted = answer.getSpec() == null ? null : answer.getSpec().getExpirationSeconds();
    Duration life = Duration.ofSeconds(granted == null ? key.seconds() : granted);
    Duration most = life.multipliedBy(4).dividedBy(5);
    Duration jitter = Duration.ofMillis((long) (JITTER.toMillis() * chance.getAsDouble()));
    Duration renewAfter = (most.compareTo(LONGEST) < 0 ? most : LONGEST).minus(jitter);
    Held fresh = new Held(answer.getStatus().getToken(), asked.plus(renewAfter), asked.plus(life));
    held.put(key, fresh);
    return fresh.token();
  }

  private static TokenRequest request(Pod pod, Key key) {
    return new TokenRequestBuilder()
        .withNewSpec()
        .withAudiences(key.audience().isEmpty() ? List.of() : List.of(key.audience()))
        .withExpirationSeconds(key.seconds())
        .withNewBoundObjectRef()
        .withApiVersion("v1")
        .withKind("Pod")
        .withName(pod.getMetadata().getName())
        .withUid(pod.getMetadata().getUid())
        .endBoundObjectRef()
        .endSpec()
        .build();
  }

  void forget(String podUid) {
    held.keySet().removeIf(key -> key.podUid().equals(podUid));
  }
}
