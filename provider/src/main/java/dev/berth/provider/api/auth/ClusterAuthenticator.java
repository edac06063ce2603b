package dev.berth.provider.api.auth;

import io.fabric8.kubernetes.api.model.authentication.TokenReview;
import io.fabric8.kubernetes.api.model.authentication.TokenReviewBuilder;
import io.fabric8.kubernetes.api.model.authentication.UserInfo;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * As the kubelet with webhook authentication: client certificates of the cluster's authority, and
 * tokens by TokenReview, whose answers are kept for two minutes.
 */
public final class ClusterAuthenticator implements Authenticator {
  private static final Logger log = LoggerFactory.getLogger(ClusterAuthenticator.class);

  static final String EVERYBODY = "system:authenticated";
  private static final Duration TOKEN_LIFETIME = Duration.ofMinutes(2);
  private static final int CACHE_CAPACITY = 4096;

  private final KubernetesClient client;
  private final Optional<ClientCertificates> certificates;
  private final ExpiringCache<String, Optional<Caller>> tokens;
  private final byte[] salt = new byte[32];

  /**
   * @param clientAuthority PEM file of who signs clients' certificates; empty takes none
   */
  public ClusterAuthenticator(KubernetesClient client, Optional<Path> clientAuthority) {
    this(client, clientAuthority, System::nanoTime);
  }

  ClusterAuthenticator(
      KubernetesClient client, Optional<Path> clientAuthority, LongSupplier nanoseconds) {
    this.client = client;
    this.certificates = clientAuthority.map(ClientCertificates::new);
    this.tokens = new ExpiringCache<>(CACHE_CAPACITY, nanoseconds);
    new SecureRandom().nextBytes(salt);
  }

  @Override
  public Optional<Caller> authenticate(List<X509Certificate> chain, Optional<String> bearerToken) {
    Optional<Caller> caller =
        chain.isEmpty() ? Optional.empty() : certificates.flatMap(known -> known.verify(chain));
    return caller.isPresent() ? caller : bearerToken.flatMap(this::review);
  }

  private Optional<Caller> review(String token) {
    String key = digest(token);
    Optional<Optional<Caller>> known = tokens.get(key);
    if (known.isPresent()) {
      return known.get();
    }
    try {
      TokenReview answer =
          client
              .tokenReviews()
              .create(new TokenReviewBuilder().withNewSpec().withToken(token).endSpec().build());
      Optional<Caller> caller = caller(answer);
      tokens.put(key, caller, TOKEN_LIFETIME);
      return caller;
    } catch (KubernetesClientException e) {
      log.warn("TokenReview failed: {}", e.getMessage());
      return Optional.empty();
    }
  }

  private static Optional<Caller> caller(TokenReview answer) {
    if (answer.getStatus() == null
        || !Boolean.TRUE.equals(answer.getStatus().getAuthenticated())
        || answer.getStatus().getUser() == null) {
      return Optional.empty();
    }
    UserInfo user = answer.getStatus().getUser();
    List<String> groups = new ArrayList<>(user.getGroups());
    if (!groups.contains(EVERYBODY)) {
      groups.add(EVERYBODY);
    }
    Map<String, List<String>> extra = user.getExtra() == null ? Map.of() : user.getExtra();
    return Optional.of(
        new Caller(user.getUsername(), Optional.ofNullable(user.getUid()), groups, extra));
  }

  /** The memory keeps no token longer than its request. */
  private String digest(String token) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(salt);
      return HexFormat.of().formatHex(digest.digest(token.getBytes(StandardCharsets.UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
