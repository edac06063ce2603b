package dev.berth.provider.api.auth;

import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;

/** Finds out who calls. */
public interface Authenticator {
  /**
   * Idempotent; may ask the API server.
   *
   * @param certificates what the client presented over TLS, not verified yet; its own first
   * @param bearerToken of the Authorization header
   * @return empty when neither proves anything
   */
  Optional<Caller> authenticate(List<X509Certificate> certificates, Optional<String> bearerToken);
}
