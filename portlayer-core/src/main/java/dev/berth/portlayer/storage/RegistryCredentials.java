package dev.berth.portlayer.storage;

import java.util.Objects;

/**
 * Credentials for one registry or a path on it.
 *
 * @param scope as in a Docker configuration file's {@code auths}: {@code registry.example.com},
 *     {@code registry.example.com/team} or a host pattern with {@code *}; the longest match wins
 * @param user empty when only an identity token is given
 * @param secret the password or identity token; never printed
 * @param identityToken whether {@code secret} is an OAuth2 refresh token
 */
public record RegistryCredentials(String scope, String user, String secret, boolean identityToken) {
  public RegistryCredentials {
    Objects.requireNonNull(scope, "scope");
    Objects.requireNonNull(user, "user");
    Objects.requireNonNull(secret, "secret");
  }

  @Override
  public String toString() {
    return "RegistryCredentials[scope=" + scope + ", user=" + user + "]";
  }
}
