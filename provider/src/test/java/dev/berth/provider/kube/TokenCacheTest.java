package dev.berth.provider.kube;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import java.time.Instant;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** After {@code requiresRefresh} and {@code GetServiceAccountToken} in pkg/kubelet/token. */
@DisplayName("A token is asked for anew by the kubelet's rule")
class TokenCacheTest {
  private static final Pod POD =
      new PodBuilder()
          .withNewMetadata()
          .withName("web")
          .withNamespace("ns")
          .withUid("u")
          .endMetadata()
          .withNewSpec()
          .withServiceAccountName("robot")
          .endSpec()
          .build();

  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private double chance;
  private int issued;
  private boolean refusing;
  private long granted;
  private final TokenCache tokens = new TokenCache(this::issue, () -> now, () -> chance);

  private TokenRequest issue(String namespace, String account, TokenRequest request) {
    assertEquals("ns/robot", namespace + "/" + account);
    assertEquals("u", request.getSpec().getBoundObjectRef().getUid());
    if (refusing) {
      throw new ApiException(503, "no");
    }
    issued++;
    return new TokenRequestBuilder(request)
        .editSpec()
        .withExpirationSeconds(granted == 0 ? request.getSpec().getExpirationSeconds() : granted)
        .endSpec()
        .withNewStatus()
        // A clock that is a year ahead, which is nothing to a token's age.
        .withExpirationTimestamp("2027-01-01T00:00:00Z")
        .withToken("token " + issued)
        .endStatus()
        .build();
  }

  private String get(long seconds) {
    return tokens.get(POD, "", seconds);
  }

  /** The last second with the old token, and the next. */
  @ParameterizedTest
  @CsvSource({
    // seconds asked, granted (0: the same), chance, renewed after
    "3600,   0,    0,   2880",
    "3600,   0,    0.5, 2875",
    "600,    0,    1,   470",
    "90000,  0,    0,   72000",
    "200000, 0,    0,   86400",
    "200000, 0,    1,   86390",
    "3600,   7200, 0,   5760"
  })
  void renewal(long seconds, long life, double jitter, long renewedAfter) {
    granted = life;
    chance = jitter;
    assertEquals("token 1", get(seconds));
    now = now.plusSeconds(renewedAfter - 1);
    assertEquals("token 1", get(seconds));
    now = now.plusSeconds(1);
    assertEquals("token 2", get(seconds));
    assertEquals("token 2", get(seconds));
  }

  @Test
  @DisplayName("a token that cannot be renewed serves until it expires")
  void refused() {
    get(1000);
    refusing = true;
    now = now.plusSeconds(999);
    assertEquals("token 1", get(1000));
    now = now.plusSeconds(1);
    assertThrows(ApiException.class, () -> get(1000));
    refusing = false;
    assertEquals("token 2", get(1000));
  }

  @Test
  @DisplayName("each audience and life has its own, and a forgotten pod none")
  void keys() {
    assertEquals("token 1", get(1000));
    assertEquals("token 2", tokens.get(POD, "vault", 1000));
    assertEquals("token 3", get(2000));
    assertEquals("token 1", get(1000));
    tokens.forget("u");
    assertEquals("token 4", get(1000));
  }

  @Test
  @DisplayName("a first token that is refused is an error")
  void neverIssued() {
    refusing = true;
    assertThrows(ApiException.class, () -> get(1000));
  }
}
