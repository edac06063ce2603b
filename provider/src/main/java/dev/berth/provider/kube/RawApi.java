package dev.berth.provider.kube;

import dev.berth.provider.kube.http.ConnectionPool;
import dev.berth.provider.kube.http.Request;
import dev.berth.provider.kube.http.Response;
import dev.berth.provider.kube.http.Subscription;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Requests that come with every pod, over a few connections of their own, and the watch of the
 * pods. Of most requests only the outcome matters: their answer is asked for without its
 * specification and status, which at hundreds of pods a second is most of what would have to be
 * sent and parsed.
 */
public final class RawApi implements AutoCloseable {
  public static final String STRATEGIC_MERGE = "application/strategic-merge-patch+json";
  private static final String METADATA_ONLY =
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
  private static final String JSON = "application/json";
  private static final Duration DEADLINE = Duration.ofSeconds(30);
  private static final int CONNECTIONS = 32;
  private static final int UNAUTHORIZED = 401;
  private static final int TOO_MANY_REQUESTS = 429;
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

  private final KubernetesSerialization serialization;
  private final ConnectionPool connections;
  private final BearerTokens tokens;
  private final String userAgent;
  private final String base;

  /**
   * @param client whose server and credentials are used
   * @throws IllegalArgumentException when a certificate or key cannot be used
   * @throws IllegalStateException when the configuration asks for what is not supported: a proxy, a
   *     user name, impersonation
   */
  public RawApi(KubernetesClient client) {
    Config config = client.getConfiguration();
    this.serialization = client.getKubernetesSerialization();
    this.connections = new ConnectionPool(ApiEndpoint.of(client), CONNECTIONS);
    this.tokens = new BearerTokens(config);
    this.userAgent = config.getUserAgent() == null ? "berth" : config.getUserAgent();
    String path = client.getMasterUrl().getPath();
    this.base = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
  }

  /**
   * Sends one request and returns the answer's metadata.
   *
   * @param path as {@code /api/v1/…}
   * @param body serialised as JSON
   * @throws ApiException when the answer is not a success
   */
  public Metadata send(String method, String path, String contentType, Object body) {
    return new Metadata(successful(method, path, contentType, METADATA_ONLY, body).body());
  }

  /**
   * Posts an object and returns the one in the answer.
   *
   * @throws ApiException when the answer is not a success
   */
  public <T> T post(String path, Object body, Class<T> answer) {
    return serialization.unmarshal(text(successful("POST", path, JSON, JSON, body)), answer);
  }

  /**
   * The body of what is at a path.
   *
   * @param path as {@code /api/v1/…}, with its query
   * @throws ApiException when the answer is not a success
   */
  byte[] get(String path) {
    return answer(
            new Call("GET", path, Map.of("Accept", JSON), new byte[0]),
            connections::exchange,
            Function.identity())
        .body();
  }

  /**
   * The events of a watch, as they come.
   *
   * @param most how long it may go on
   * @throws ApiException when the answer is not a success
   */
  Subscription watch(String path, Duration most) {
    return answer(
        new Call("GET", path, Map.of("Accept", JSON), new byte[0]),
        (request, patience) -> connections.subscribe(request, patience, most),
        Subscription::head);
  }

  private Response successful(
      String method, String path, String contentType, String accept, Object body) {
    return answer(
        new Call(
            method,
            path,
            Map.of("Accept", accept, "Content-Type", contentType),
            serialization.asJson(body).getBytes(StandardCharsets.UTF_8)),
        connections::exchange,
        Function.identity());
  }

  /** A request as it is before the token is known. */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares calls
  private record Call(String method, String path, Map<String, String> headers, byte[] body) {
    @Override
    public String toString() {
      return method + " " + path;
    }
  }

  private interface Sender<T> {
    T send(Request request, Duration patience) throws IOException, InterruptedException;
  }

  private <T> T answer(Call call, Sender<T> sender, Function<T, Response> head) {
    try {
      T answer = retried(call, sender, head);
      Response response = head.apply(answer);
      if (!response.success()) {
        throw new ApiException(
            response.status(),
            "%s: %d %s".formatted(call, response.status(), message(text(response))));
      }
      return answer;
    } catch (InterruptedException cause) {
      Thread.currentThread().interrupt();
      throw new ApiException(0, call + ": interrupted", cause);
    } catch (IOException cause) {
      throw new ApiException(0, "%s: %s".formatted(call, cause), cause);
    }
  }

  /** A request that was refused as such was not carried out, and may be sent again. */
  private <T> T retried(Call call, Sender<T> sender, Function<T, Response> head)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + DEADLINE.toNanos();
    Optional<String> token = tokens.get();
    boolean renewed = false;
    while (true) {
      T answer = sender.send(request(call, token), Duration.ofNanos(end - System.nanoTime()));
      Response response = head.apply(answer);
      if (response.status() == UNAUTHORIZED && token.isPresent() && !renewed) {
        renewed = true;
        Optional<String> another = tokens.insteadOf(token);
        if (another.isPresent()) {
          token = another;
          continue;
        }
      }
      Optional<Duration> pause = pause(response);
      if (pause.isEmpty() || System.nanoTime() + pause.get().toNanos() - end >= 0) {
        return answer;
      }
      Thread.sleep(pause.get());
    }
  }

  private Request request(Call call, Optional<String> token) {
    Map<String, String> headers = new HashMap<>(call.headers());
    headers.put("User-Agent", userAgent);
    token.ifPresent(text -> headers.put("Authorization", "Bearer " + text));
    // Patches say what is to be, so that a second one changes nothing.
    return new Request(
        call.method(), base + call.path(), headers, call.body(), !call.method().equals("POST"));
  }

  /** How long the API server, which is too busy, asks to wait. */
  private static Optional<Duration> pause(Response response) {
    if (response.status() != TOO_MANY_REQUESTS) {
      return Optional.empty();
    }
    return response
        .header("Retry-After")
        .filter(seconds -> seconds.matches("[0-9]{1,4}"))
        .map(seconds -> Duration.ofSeconds(Math.max(1, Long.parseLong(seconds))))
        .filter(pause -> pause.compareTo(LONGEST_PAUSE) <= 0);
  }

  private @Nullable Object message(String body) {
    try {
      Map<?, ?> status = serialization.unmarshal(body, Map.class);
      return status == null ? "" : status.get("message");
    } catch (RuntimeException notJson) {
      return body;
    }
  }

  private static String text(Response response) {
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  /** Ends requests under way. Idempotent. */
  @Override
  public void close() {
    connections.close();
  }
}
