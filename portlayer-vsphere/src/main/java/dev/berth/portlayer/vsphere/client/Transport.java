package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/**
 * HTTP to one vCenter, over one pool of connections. Attempts are repeated where the server cannot
 * have done anything, and for requests that may be repeated after any failure.
 */
final class Transport implements AutoCloseable {
  /** What one client asks of a vCenter at a time; the rest waits here. */
  private static final int CONNECTIONS = 24;

  private final URI url;
  private final Duration patience;
  private final HttpClient http;
  private final Semaphore connections = new Semaphore(CONNECTIONS, true);
  private volatile boolean closed;

  Transport(VimSettings settings) {
    url = settings.url();
    patience = settings.patience();
    http =
        HttpClient.newBuilder()
            // Waiting for updates would hold up what else is on a connection of HTTP/2.
            .version(HttpClient.Version.HTTP_1_1)
            .sslContext(settings.trust().context())
            .connectTimeout(settings.connectTimeout())
            .followRedirects(HttpClient.Redirect.NEVER)
            .executor(Executors.newVirtualThreadPerTaskExecutor())
            .build();
  }

  HttpRequest.Builder request(String pathAndQuery) {
    return HttpRequest.newBuilder(URI.create(url + pathAndQuery));
  }

  /**
   * Sends until there is an answer other than a request to come again.
   *
   * @param repeatable whether it does no harm when the request is done twice
   * @param timeout for each attempt, with the answer's body
   * @throws PortLayerException UNAVAILABLE, INTERRUPTED, UNAUTHENTICATED (a wrong certificate)
   */
  <T> HttpResponse<T> send(
      HttpRequest request, BodyHandler<T> body, boolean repeatable, Duration timeout) {
    Backoff backoff = new Backoff(patience);
    while (true) {
      PortLayerException failure;
      Duration pause = Duration.ZERO;
      try {
        HttpResponse<T> response = once(request, body, timeout, connections);
        if (!shallComeAgain(response, repeatable)) {
          return response;
        }
        pause = retryAfter(response);
        failure = unavailable(request, "it answered with status " + response.statusCode(), null);
      } catch (IOException e) {
        failure = failure(request, e);
        boolean again = failure.code() == Code.UNAVAILABLE && (repeatable || neverSent(e));
        if (!again || closed) {
          throw failure;
        }
      }
      if (!backoff.pause(pause)) {
        throw failure;
      }
    }
  }

  /**
   * Sends once, beside what else waits for a connection. When the server says when to come again,
   * it returns only then.
   *
   * @throws PortLayerException as {@link #send}
   */
  <T> HttpResponse<T> sendOnce(HttpRequest request, BodyHandler<T> body, Duration timeout) {
    try {
      HttpResponse<T> response = once(request, body, timeout, new Semaphore(1));
      if (shallComeAgain(response, false)) {
        new Backoff(patience).pause(retryAfter(response));
      }
      return response;
    } catch (IOException e) {
      throw failure(request, e);
    }
  }

  private <T> HttpResponse<T> once(
      HttpRequest request, BodyHandler<T> body, Duration timeout, Semaphore permits)
      throws IOException {
    try {
      permits.acquire();
      try {
        return await(http.sendAsync(request, body), timeout);
      } finally {
        permits.release();
      }
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("waiting for vCenter at " + url.getAuthority(), e);
    }
  }

  /** The time-out of HttpClient itself ends with the answer's head. */
  private static <T> T await(CompletableFuture<T> answer, Duration timeout)
      throws IOException, InterruptedException {
    try {
      return answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new IOException("no answer within " + timeout.toSeconds() + " s", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
    } finally {
      answer.cancel(true);
    }
  }

  /** A gateway that says when to come again has not passed the request on; others may have. */
  private static boolean shallComeAgain(HttpResponse<?> response, boolean repeatable) {
    return switch (response.statusCode()) {
      case 429 -> true;
      case 503 -> repeatable || response.headers().firstValue("Retry-After").isPresent();
      case 502, 504 -> repeatable;
      default -> false;
    };
  }

  private static Duration retryAfter(HttpResponse<?> response) {
    return response
        .headers()
        .firstValue("Retry-After")
        .filter(text -> text.matches("\\d{1,6}"))
        .map(text -> Duration.ofSeconds(Long.parseLong(text)))
        .orElse(Duration.ZERO);
  }

  private static boolean neverSent(IOException e) {
    return e instanceof ConnectException
        || e instanceof HttpConnectTimeoutException
        || e instanceof SSLHandshakeException;
  }

  private PortLayerException failure(HttpRequest request, IOException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof CertificateException && e instanceof SSLException) {
        return new PortLayerException(
            Code.UNAUTHENTICATED,
            "The certificate of vCenter at %s is not trusted: %s"
                .formatted(url.getAuthority(), cause.getMessage()),
            e);
      }
    }
    return unavailable(request, e.getMessage() == null ? e.toString() : e.getMessage(), e);
  }

  private PortLayerException unavailable(HttpRequest request, String why, @Nullable IOException e) {
    return new PortLayerException(
        Code.UNAVAILABLE,
        "vCenter at %s cannot be asked for %s: %s"
            .formatted(url.getAuthority(), describe(request.uri().getPath()), why),
        e);
  }

  /** Identifiers of objects are left out: some have the session in them. */
  private static String describe(String path) {
    int type = "/sdk/vim25/".length();
    if (!path.startsWith("/sdk/vim25/")) {
      return path;
    }
    int begin = path.indexOf('/', type) + 1;
    return path.substring(begin, path.indexOf('/', begin))
        + "."
        + path.substring(path.lastIndexOf('/') + 1);
  }

  /** What is asked afterwards fails at once. */
  @Override
  public void close() {
    closed = true;
    http.shutdownNow();
  }
}
