package dev.berth.portlayer.image.registry;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Deadline;
import dev.berth.portlayer.storage.RegistryCredentials;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Turns credentials into Authorization headers as a registry's challenge demands, and remembers
 * them: basic ones until refused, tokens until they expire.
 */
final class Authorizer {
  private static final JsonMapper JSON = new JsonMapper();
  private static final int MAXIMUM_ANSWER = 1 << 20;

  /** By the token specification, for servers that don't say. */
  private static final long DEFAULT_LIFE_SECONDS = 60;

  /** A token this near to its end may end on its way. */
  private static final long MARGIN_SECONDS = 10;

  private static final int MAXIMUM_REMEMBERED = 10_000;

  private record Key(URI base, String path, Optional<RegistryCredentials> credentials) {}

  private record Grant(String header, Deadline end) {}

  private final RegistryTransport transport;
  private final Map<Key, Grant> grants = new ConcurrentHashMap<>();

  Authorizer(RegistryTransport transport) {
    this.transport = transport;
  }

  /** The header that was good last time, if it still is by the clock. */
  Optional<String> remembered(
      Endpoint endpoint, String path, Optional<RegistryCredentials> credentials) {
    Grant grant = grants.get(new Key(endpoint.base(), path, credentials));
    return grant == null || grant.end().expired() ? Optional.empty() : Optional.of(grant.header());
  }

  /** Forgets a header that was refused. */
  void forget(Endpoint endpoint, String path, Optional<RegistryCredentials> credentials) {
    grants.remove(new Key(endpoint.base(), path, credentials));
  }

  /**
   * Answers a 401.
   *
   * @throws PortLayerException UNAUTHENTICATED when the credentials, or their absence, don't serve
   */
  String authorize(
      Endpoint endpoint,
      String path,
      Optional<RegistryCredentials> credentials,
      List<String> challenges,
      Supplier<Deadline> deadline) {
    Grant grant = grant(endpoint, path, credentials, Challenge.parse(challenges), deadline);
    if (grants.size() > MAXIMUM_REMEMBERED) {
      grants.values().removeIf(old -> old.end().expired());
    }
    grants.put(new Key(endpoint.base(), path, credentials), grant);
    return grant.header();
  }

  private Grant grant(
      Endpoint endpoint,
      String path,
      Optional<RegistryCredentials> credentials,
      List<Challenge> challenges,
      Supplier<Deadline> deadline) {
    for (Challenge challenge : challenges) {
      if (challenge.scheme().equals("bearer")) {
        return token(endpoint, path, credentials, challenge, deadline);
      }
      if (challenge.scheme().equals("basic")
          && credentials.isPresent()
          && !credentials.get().identityToken()) {
        return new Grant(basic(credentials.get()), Deadline.after(Duration.ofDays(365)));
      }
    }
    throw new PortLayerException(
        Code.UNAUTHENTICATED,
        challenges.isEmpty()
            ? endpoint.host() + " answers 401 and offers no way to authenticate"
            : "no basic auth credentials for " + endpoint.host());
  }

  private static String basic(RegistryCredentials credentials) {
    String pair = credentials.user() + ":" + credentials.secret();
    return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(UTF_8));
  }

  private Grant token(
      Endpoint endpoint,
      String path,
      Optional<RegistryCredentials> credentials,
      Challenge challenge,
      Supplier<Deadline> deadline) {
    URI realm = realm(endpoint, challenge);
    Map<String, String> form = new java.util.LinkedHashMap<>();
    form.put("service", challenge.parameter("service"));
    form.put("scope", "repository:" + path + ":pull");
    Map<String, String> headers = new HashMap<>();
    headers.put("Accept", "application/json");
    if (credentials.isPresent() && credentials.get().identityToken()) {
      form.put("grant_type", "refresh_token");
      form.put("client_id", "berth");
      form.put("refresh_token", credentials.get().secret());
      headers.put("Content-Type", "application/x-www-form-urlencoded");
      return read(realm, transport.send("POST", realm, headers, encode(form), deadline));
    }
    credentials.ifPresent(given -> headers.put("Authorization", basic(given)));
    String separator = realm.getRawQuery() == null ? "?" : "&";
    URI question = URI.create(realm + separator + encode(form));
    return read(realm, transport.send("GET", question, headers, null, deadline));
  }

  private static URI realm(Endpoint endpoint, Challenge challenge) {
    URI realm;
    try {
      realm = URI.create(challenge.parameter("realm"));
    } catch (IllegalArgumentException e) {
      throw new PortLayerException(
          Code.UNAVAILABLE, endpoint.host() + " names a malformed token server", e);
    }
    boolean https = "https".equals(realm.getScheme());
    boolean plain = "http".equals(realm.getScheme()) && endpoint.plainHttp();
    if (realm.getHost() == null || !(https || plain)) {
      throw new PortLayerException(
          Code.UNAVAILABLE,
          "%s names the token server \"%s\", which is not reached by HTTPS"
              .formatted(endpoint.host(), realm.getHost()));
    }
    return realm;
  }

  private static Grant read(URI realm, RegistryResponse answer) {
    try (answer) {
      if (answer.status() == 429 || answer.status() >= 500) {
        throw new PortLayerException(
            Code.UNAVAILABLE,
            "token server %s answers %d"
                .formatted(RegistryTransport.place(realm), answer.status()));
      }
      if (!answer.successful()) {
        throw new PortLayerException(
            Code.UNAUTHENTICATED,
            "failed to authorize: token server %s refuses the credentials with status %d"
                .formatted(RegistryTransport.place(realm), answer.status()));
      }
      return parse(realm, answer.body().readNBytes(MAXIMUM_ANSWER));
    } catch (IOException e) {
      throw new PortLayerException(
          Code.UNAVAILABLE,
          "token server %s breaks off its answer".formatted(RegistryTransport.place(realm)),
          e);
    }
  }

  private static Grant parse(URI realm, byte[] body) {
    String token = "";
    long life = DEFAULT_LIFE_SECONDS;
    try {
      JsonNode answer = JSON.readTree(body);
      token = answer.path("token").asString("");
      if (token.isEmpty()) {
        token = answer.path("access_token").asString("");
      }
      life = Math.max(answer.path("expires_in").asLong(0), DEFAULT_LIFE_SECONDS);
    } catch (JacksonException e) {
      // Not kept as a cause: the parser quotes its input, which holds the token. Refused below.
      token = "";
    }
    if (token.isEmpty()) {
      throw new PortLayerException(
          Code.UNAUTHENTICATED,
          "failed to authorize: token server %s answers without a token"
              .formatted(RegistryTransport.place(realm)));
    }
    return new Grant("Bearer " + token, Deadline.after(Duration.ofSeconds(life - MARGIN_SECONDS)));
  }

  private static String encode(Map<String, String> form) {
    StringBuilder encoded = new StringBuilder();
    form.forEach(
        (name, value) -> {
          if (!value.isEmpty()) {
            encoded.append(encoded.isEmpty() ? "" : "&").append(name).append('=');
            encoded.append(URLEncoder.encode(value, UTF_8));
          }
        });
    return encoded.toString();
  }
}
