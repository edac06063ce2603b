package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Deadline;
import dev.berth.portlayer.image.content.Digest;
import dev.berth.portlayer.storage.RegistryCredentials;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Requests for one repository on behalf of one caller. Tries the mirrors in order, then the
 * registry itself, at each the credentials in order, then none; what served once is tried first
 * from then on.
 *
 * <p>Messages of its failures say what happened, not what for: the caller puts that before them.
 */
final class RegistrySession {
  private static final int MAXIMUM_ATTEMPTS = 6;
  private static final int MAXIMUM_ERROR = 1 << 14;
  private static final JsonMapper JSON = new JsonMapper();

  /** A place and the credentials to show there. */
  private record Way(Endpoint endpoint, Optional<RegistryCredentials> credentials) {}

  private final RegistryTransport transport;
  private final Authorizer authorizer;
  private final String repository;
  private final List<Way> ways;
  private final Supplier<Deadline> deadline;
  private volatile @Nullable Way preferred;

  RegistrySession(
      RegistryTransport transport,
      Authorizer authorizer,
      String repository,
      List<Endpoint> endpoints,
      Function<Endpoint, List<RegistryCredentials>> credentials,
      Supplier<Deadline> deadline) {
    this.transport = transport;
    this.authorizer = authorizer;
    this.repository = repository;
    this.deadline = deadline;
    this.ways = new ArrayList<>();
    for (Endpoint endpoint : endpoints) {
      credentials.apply(endpoint).forEach(one -> ways.add(new Way(endpoint, Optional.of(one))));
      ways.add(new Way(endpoint, Optional.empty()));
    }
  }

  Deadline deadline() {
    return deadline.get();
  }

  RegistryResponse manifest(String method, String target) {
    return request(
        method,
        endpoint -> endpoint.manifest(repository, target),
        Map.of("Accept", String.join(", ", MediaTypes.MANIFESTS)));
  }

  /** Opens a blob; the answer is 206 only when {@code offset} isn't 0 and the server can do it. */
  RegistryResponse blob(Digest digest, long offset) {
    return request(
        "GET",
        endpoint -> endpoint.blob(repository, digest.toString()),
        offset > 0 ? Map.of("Range", "bytes=" + offset + "-") : Map.of());
  }

  private RegistryResponse request(
      String method, Function<Endpoint, URI> address, Map<String, String> headers) {
    @Nullable PortLayerException failure = null;
    @Nullable Endpoint failed = null;
    @Nullable Endpoint before = null;
    List<Way> order = order();
    for (int i = 0; i < order.size(); i++) {
      Way way = order.get(i);
      if (way.endpoint().equals(failed)) {
        continue;
      }
      boolean last = order.getLast().endpoint().equals(way.endpoint());
      try {
        RegistryResponse response =
            persist(method, address.apply(way.endpoint()), headers, way, last);
        preferred = way;
        return response;
      } catch (PortLayerException e) {
        if (e.code() == Code.INTERRUPTED || e.code() == Code.DEADLINE_EXCEEDED) {
          throw e;
        }
        failed = e.code() == Code.UNAUTHENTICATED ? null : way.endpoint();
        failure =
            before != null && failure != null && !before.equals(way.endpoint())
                ? both(e, failure, before)
                : telling(failure, e, way);
        before = way.endpoint();
      }
    }
    if (failure == null) {
      throw new IllegalStateException("a session has at least one way");
    }
    throw failure;
  }

  /**
   * What the registry itself said, and what a mirror had said before. A mirror that has not got it
   * says more than a registry which cannot be reached, as where mirrors are all there is.
   */
  private static PortLayerException both(
      PortLayerException now, PortLayerException earlier, Endpoint mirror) {
    if (earlier.code() == Code.NOT_FOUND && now.code() == Code.UNAVAILABLE) {
      return new PortLayerException(
          Code.NOT_FOUND,
          "mirror %s: %s; %s".formatted(mirror.host(), earlier.getMessage(), now.getMessage()),
          now);
    }
    return new PortLayerException(
        now.code(),
        "%s; mirror %s: %s".formatted(now.getMessage(), mirror.host(), earlier.getMessage()),
        now);
  }

  /** Refused credentials explain more than the refusal of none that follows at the same place. */
  private static PortLayerException telling(
      @Nullable PortLayerException earlier, PortLayerException now, Way way) {
    boolean anonymous = way.credentials().isEmpty() && now.code() == Code.UNAUTHENTICATED;
    if (earlier != null && anonymous && earlier.code() == Code.UNAUTHENTICATED) {
      return earlier;
    }
    if (earlier != null) {
      now.addSuppressed(earlier);
    }
    return now;
  }

  private List<Way> order() {
    Way first = preferred;
    if (first == null) {
      return ways;
    }
    List<Way> order = new ArrayList<>(ways);
    order.remove(first);
    order.addFirst(first);
    return order;
  }

  /** Repeats while the server is overloaded, if there is nowhere else to go. */
  private RegistryResponse persist(
      String method, URI uri, Map<String, String> headers, Way way, boolean last) {
    for (int attempt = 0; ; attempt++) {
      RegistryResponse response = authorized(method, uri, headers, way);
      int status = response.status();
      if (response.successful()) {
        return response;
      }
      boolean overloaded = status == 429 || status == 502 || status == 503 || status == 504;
      if (!overloaded || !last || attempt + 1 >= MAXIMUM_ATTEMPTS) {
        throw failure(way, response);
      }
      Duration pause = Patience.before(attempt, response.header("Retry-After"));
      if (pause.compareTo(deadline().remaining()) >= 0) {
        throw tooLong(way, response, pause);
      }
      response.close();
      Patience.wait(pause, "waiting for " + way.endpoint().host());
    }
  }

  private RegistryResponse authorized(
      String method, URI uri, Map<String, String> headers, Way way) {
    String path = way.endpoint().path(repository);
    Map<String, String> all = new HashMap<>(headers);
    authorizer
        .remembered(way.endpoint(), path, way.credentials())
        .ifPresent(header -> all.put("Authorization", header));
    RegistryResponse response = transport.send(method, uri, all, null, deadline);
    if (response.status() != 401) {
      return response;
    }
    authorizer.forget(way.endpoint(), path, way.credentials());
    List<String> challenges = response.headers().allValues("WWW-Authenticate");
    response.close();
    all.put(
        "Authorization",
        authorizer.authorize(way.endpoint(), path, way.credentials(), challenges, deadline));
    RegistryResponse second = transport.send(method, uri, all, null, deadline);
    if (second.status() == 401) {
      authorizer.forget(way.endpoint(), path, way.credentials());
    }
    return second;
  }

  private static PortLayerException tooLong(Way way, RegistryResponse response, Duration pause) {
    response.close();
    return new PortLayerException(
        Code.UNAVAILABLE,
        "%s answers %d and asks to wait %d s, longer than the pull's deadline"
            .formatted(way.endpoint().host(), response.status(), pause.toSeconds()));
  }

  private static PortLayerException failure(Way way, RegistryResponse response) {
    String detail = detail(response, way.credentials());
    String host = way.endpoint().host();
    int status = response.status();
    return switch (status) {
      case 404 -> new PortLayerException(Code.NOT_FOUND, "not found");
      case 401, 403 ->
          new PortLayerException(
              Code.UNAUTHENTICATED,
              way.credentials().isPresent()
                  ? "%s refuses the credentials of user \"%s\" with status %d%s"
                      .formatted(host, way.credentials().get().user(), status, detail)
                  : "pull access denied, repository does not exist or may require authorization: %s answers %d%s"
                      .formatted(host, status, detail));
      case 416 -> new PortLayerException(Code.FAILED_PRECONDITION, "range not satisfiable");
      case 429 ->
          new PortLayerException(
              Code.UNAVAILABLE, host + " answers 429, too many requests" + detail);
      default ->
          new PortLayerException(
              status >= 500 ? Code.UNAVAILABLE : Code.INTERNAL,
              "unexpected status %d from %s%s".formatted(status, host, detail));
    };
  }

  /** The registry's own words, without anything that could be the secret it was shown. */
  private static String detail(
      RegistryResponse response, Optional<RegistryCredentials> credentials) {
    try (response) {
      JsonNode error =
          JSON.readTree(response.body().readNBytes(MAXIMUM_ERROR)).path("errors").path(0);
      String text = error.path("code").asString("") + " " + error.path("message").asString("");
      String shown =
          new String(text.strip().getBytes(StandardCharsets.US_ASCII), StandardCharsets.US_ASCII);
      boolean secret =
          credentials.map(c -> !c.secret().isEmpty() && text.contains(c.secret())).orElse(false);
      return shown.isEmpty() || secret
          ? ""
          : " ("
              + shown.substring(0, Math.min(shown.length(), 200)).replaceAll("\\p{Cntrl}", " ")
              + ")";
    } catch (IOException | JacksonException e) {
      return "";
    }
  }
}
