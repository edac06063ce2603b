package dev.berth.provider.kube;

import dev.berth.provider.kube.http.ConnectionPool;
import dev.berth.provider.kube.http.Request;
import dev.berth.provider.kube.http.Response;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Requests that come with every pod, over a few connections of their own. Of most only the outcome
 * matters: their answer is asked for without its specification and status, which at hundreds of
 * pods a second is most of what would have to be sent and parsed.
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

  private Response successful(
      String method, String path, String contentType, String accept, Object body) {
    byte[] json = serialization.asJson(body).getBytes(StandardCharsets.UTF_8);
    String doing = method + " " + path;
    try {
      Response response = exchange(method, base + path, contentType, accept, json);
      if (!response.success()) {
        throw new ApiException(
            response.status(),
            "%s: %d %s".formatted(doing, response.status(), message(text(response))));
      }
      return response;
    } catch (InterruptedException cause) {
      Thread.currentThread().interrupt();
      throw new ApiException(0, doing + ": interrupted", cause);
    } catch (IOException cause) {
      throw new ApiException(0, "%s: %s".formatted(doing, cause), cause);
    }
  }

  /** A request that was refused as such was not carried out, and may be sent again. */
  private Response exchange(
      String method, String target, String contentType, String accept, byte[] body)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + DEADLINE.toNanos();
    Optional<String> token = tokens.get();
    boolean renewed = false;
    while (true) {
      Request request = request(method, target, contentType, accept, token, body);
      Response response = connections.exchange(request, Duration.ofNanos(end - System.nanoTime()));
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
        return response;
      }
      Thread.sleep(pause.get());
    }
  }

  private Request request(
      String method,
      String target,
      String contentType,
      String accept,
      Optional<String> token,
      byte[] body) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("User-Agent", userAgent);
    headers.put("Accept", accept);
    headers.put("Content-Type", contentType);
    token.ifPresent(text -> headers.put("Authorization", "Bearer " + text));
    // Patches say what is to be, so that a second one changes nothing.
    return new Request(method, target, headers, body, !method.equals("POST"));
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
