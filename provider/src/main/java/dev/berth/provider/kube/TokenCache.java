package dev.berth.provider.kube;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Service account tokens bound to pods, renewed at 80% of their life, after a day at the latest.
 */
final class TokenCache {
  private static final Duration LONGEST = Duration.ofHours(24);

  private final KubernetesClient client;
  private final Map<Key, Held> held = new ConcurrentHashMap<>();

  private record Key(String podUid, String account, String audience, long seconds) {}

  private record Held(String token, Instant renewAt) {
    @Override
    public String toString() {
      return "Held[renewAt=" + renewAt + "]";
    }
  }

  TokenCache(KubernetesClient client) {
    this.client = client;
  }

  String get(Pod pod, String audience, long seconds) {
    Key key =
        new Key(
            pod.getMetadata().getUid(), pod.getSpec().getServiceAccountName(), audience, seconds);
    Held known = held.get(key);
    if (known != null && Instant.now().isBefore(known.renewAt())) {
      return known.token();
    }
    return renew(pod, key);
  }

  private String renew(Pod pod, Key key) {
    Instant asked = Instant.now();
    TokenRequest answer =
        client
            .serviceAccounts()
            .inNamespace(pod.getMetadata().getNamespace())
            .withName(key.account())
            .tokenRequest(request(pod, key));
    Instant expires = Instant.parse(answer.getStatus().getExpirationTimestamp());
    Duration life = Duration.between(asked, expires).multipliedBy(4).dividedBy(5);
    Duration renewAfter = life.compareTo(LONGEST) < 0 ? life : LONGEST;
    Held fresh = new Held(answer.getStatus().getToken(), asked.plus(renewAfter));
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
