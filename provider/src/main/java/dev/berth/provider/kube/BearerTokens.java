package dev.berth.provider.kube;

import io.fabric8.kubernetes.client.Config;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The token that requests carry, if the credentials hold one. Tokens in files are short-lived and
 * replaced there: they are read again every minute, as other clients do, and when one was refused.
 */
final class BearerTokens {
  private static final long READ_AGAIN = Duration.ofMinutes(1).toNanos();

  private final Config config;
  private @Nullable String found;
  private long foundAt = System.nanoTime();

  BearerTokens(Config config) {
    this.config = config;
    this.found = config.getAutoOAuthToken();
  }

  Optional<String> get() {
    if (config.getOauthTokenProvider() != null) {
      return usable(config.getOauthTokenProvider().getToken());
    }
    if (config.getOauthToken() != null) {
      return usable(config.getOauthToken());
    }
    return usable(found(false));
  }

  /** Another token than the refused one; empty when there is none. */
  Optional<String> insteadOf(Optional<String> refused) {
    if (config.getOauthTokenProvider() == null && config.getOauthToken() == null) {
      var _ = found(true);
    }
    return get().filter(token -> !Optional.of(token).equals(refused));
  }

  private synchronized @Nullable String found(boolean now) {
    if (found != null && (now || System.nanoTime() - foundAt >= READ_AGAIN)) {
      foundAt = System.nanoTime();
      String present = config.refresh().getAutoOAuthToken();
      found = present == null ? found : present;
    }
    return found;
  }

  private static Optional<String> usable(@Nullable String token) {
    return Optional.ofNullable(token).map(String::strip).filter(text -> !text.isEmpty());
  }
}
