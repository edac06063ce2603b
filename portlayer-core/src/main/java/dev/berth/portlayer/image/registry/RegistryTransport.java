package dev.berth.portlayer.image.registry;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.Deadline;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Sends single requests and follows their redirects; knows TLS and time, not registries. */
final class RegistryTransport implements AutoCloseable {
  private static final int MAXIMUM_REDIRECTS = 10;

  private final Map<String, RegistryConfiguration> configurations;
  private final Duration stall;
  private final Map<Optional<Path>, HttpClient> clients = new ConcurrentHashMap<>();
  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("registry-stall-watch").factory());

  /**
   * @param configurations by host[:port]
   * @param stall how long to wait for headers, or for the next bytes of a body
   */
  RegistryTransport(Map<String, RegistryConfiguration> configurations, Duration stall) {
    this.configurations = configurations;
    this.stall = stall;
  }

  /**
   * Sends a request. Authorization goes to the first host only, never to where it redirects.
   *
   * @param body a form to POST, or null
   * @throws PortLayerException UNAVAILABLE when the host cannot be reached or does not answer,
   *     DEADLINE_EXCEEDED, INTERRUPTED
   */
  RegistryResponse send(
      String method,
      URI target,
      Map<String, String> headers,
      @Nullable String body,
      Supplier<Deadline> deadline) {
    URI location = target;
    for (int redirects = 0; redirects <= MAXIMUM_REDIRECTS; redirects++) {
      boolean sameHost = origin(location).equals(origin(target));
      RegistryResponse response = once(method, location, headers, sameHost, body, deadline);
      String next = response.header("Location");
      if (!isRedirect(response.status()) || next.isEmpty()) {
        return response;
      }
      response.close();
      location = redirect(location, next);
    }
    throw new PortLayerException(Code.UNAVAILABLE, place(target) + " redirects without end");
  }

  private static boolean isRedirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }

  private static URI redirect(URI from, String to) {
    URI next;
    try {
      next = from.resolve(to);
    } catch (IllegalArgumentException e) {
      // Without the cause: a redirect's query often holds a signature.
      throw new PortLayerException(
          Code.UNAVAILABLE, place(from) + " redirects to a malformed address");
    }
    boolean web = "https".equals(next.getScheme()) || "http".equals(next.getScheme());
    if (!web || next.getHost() == null) {
      throw new PortLayerException(
          Code.UNAVAILABLE, place(from) + " redirects to a malformed address");
    }
    if (from.getScheme().equals("https") && next.getScheme().equals("http")) {
      throw new PortLayerException(
          Code.UNAVAILABLE,
          place(from) + " redirects from HTTPS to plain HTTP at " + next.getHost());
    }
    return next;
  }

  private static String origin(URI uri) {
    int port = uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equals("https") ? 443 : 80;
    return uri.getScheme() + "://" + uri.getHost() + ":" + port;
  }

  private RegistryResponse once(
      String method,
      URI uri,
      Map<String, String> headers,
      boolean trusted,
      @Nullable String body,
      Supplier<Deadline> deadline) {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri);
    request.version(
        uri.getScheme().equals("https") ? HttpClient.Version.HTTP_2 : HttpClient.Version.HTTP_1_1);
    headers.forEach(
        (name, value) -> {
          if (trusted || !name.equals("Authorization")) {
            request.header(name, value);
          }
        });
    request.header("User-Agent", "berth");
    request.method(
        method,
        body == null
            ? HttpRequest.BodyPublishers.noBody()
            : HttpRequest.BodyPublishers.ofString(body));
    HttpResponse<InputStream> response =
        await(
            client(uri).sendAsync(request.build(), HttpResponse.BodyHandlers.ofInputStream()),
            uri,
            deadline);
    return new RegistryResponse(
        response.statusCode(), response.headers(), new StallGuard(response.body(), stall, timer));
  }

  private HttpResponse<InputStream> await(
      CompletableFuture<HttpResponse<InputStream>> exchange, URI uri, Supplier<Deadline> deadline) {
    Deadline silence = Deadline.after(stall);
    while (true) {
      Duration left = deadline.get().remaining();
      boolean last = left.compareTo(silence.remaining()) < 0;
      try {
        return exchange.get((last ? left : silence.remaining()).toNanos(), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        exchange.cancel(true);
        throw PortLayerException.interrupted("waiting for " + place(uri), e);
      } catch (TimeoutException e) {
        if (deadline.get().expired() || silence.expired()) {
          exchange.cancel(true);
          throw new PortLayerException(
              last ? Code.DEADLINE_EXCEEDED : Code.UNAVAILABLE,
              place(uri) + " does not answer in time",
              e);
        }
      } catch (ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        throw new PortLayerException(Code.UNAVAILABLE, unreachable(uri, cause), cause);
      }
    }
  }

  private static String unreachable(URI uri, Throwable cause) {
    String place = place(uri);
    for (Throwable inner = cause; inner != null; inner = inner.getCause()) {
      if (inner instanceof UnresolvedAddressException || inner instanceof UnknownHostException) {
        return "cannot reach %s: no such host".formatted(place);
      }
      if (inner instanceof SSLException) {
        return "cannot reach %s: TLS handshake failed (%s): is it a plain-HTTP registry, or one whose certificate authority must be configured?"
            .formatted(place, inner.getMessage());
      }
    }
    if (cause instanceof ConnectException) {
      return "cannot reach %s: connection refused".formatted(place);
    }
    String message = cause instanceof IOException ? cause.getMessage() : null;
    return "cannot reach %s: %s"
        .formatted(place, message == null ? cause.getClass().getSimpleName() : message);
  }

  /** Scheme, host and port: all of an address that may be shown. */
  static String place(URI uri) {
    return uri.getScheme() + "://" + uri.getHost() + (uri.getPort() < 0 ? "" : ":" + uri.getPort());
  }

  private HttpClient client(URI uri) {
    String host = uri.getHost() + (uri.getPort() < 0 ? "" : ":" + uri.getPort());
    RegistryConfiguration configuration =
        configurations.get(host.equals("registry-1.docker.io") ? "docker.io" : host);
    Optional<Path> authorities =
        configuration == null ? Optional.empty() : configuration.certificateAuthorities();
    return clients.computeIfAbsent(authorities, this::newClient);
  }

  private HttpClient newClient(Optional<Path> authorities) {
    HttpClient.Builder builder =
        HttpClient.newBuilder().connectTimeout(stall).followRedirects(HttpClient.Redirect.NEVER);
    authorities.ifPresent(file -> builder.sslContext(TlsContexts.trusting(file)));
    return builder.build();
  }

  /** Ends all connections; requests under way fail. */
  @Override
  public void close() {
    timer.shutdownNow();
    clients.values().forEach(HttpClient::shutdownNow);
  }
}
