package dev.berth.provider.kube;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Requests of which only the outcome matters. The answer is asked for without its specification and
 * status, which at hundreds of pods a second is most of what would have to be parsed.
 */
public final class RawApi {
  public static final String STRATEGIC_MERGE = "application/strategic-merge-patch+json";
  private static final String METADATA_ONLY =
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";
  private static final long DEADLINE_SECONDS = 30;

  private final KubernetesClient client;
  private final String base;

  public RawApi(KubernetesClient client) {
    this.client = client;
    String url = client.getMasterUrl().toString();
    this.base = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
  }

  /**
   * Sends one request and returns the answer's body.
   *
   * @param path as {@code /api/v1/…}
   * @param body serialised as JSON
   * @throws ApiException when the answer is not a success
   */
  public String send(String method, String path, String contentType, Map<String, ?> body) {
    HttpRequest.Builder request =
        client
            .getHttpClient()
            .newHttpRequestBuilder()
            .uri(base + path)
            .header("Accept", METADATA_ONLY)
            .timeout(DEADLINE_SECONDS, TimeUnit.SECONDS)
            .method(method, contentType, client.getKubernetesSerialization().asJson(body));
    HttpResponse<String> response = await(request.build(), method + " " + path);
    if (!response.isSuccessful()) {
      throw new ApiException(
          response.code(),
          "%s %s: %d %s".formatted(method, path, response.code(), message(response.body())));
    }
    return response.body();
  }

  /** The resource version in an answer's metadata; 0 when there is none. */
  public long resourceVersion(String answer) {
    Map<?, ?> parsed = client.getKubernetesSerialization().unmarshal(answer, Map.class);
    return parsed.get("metadata") instanceof Map<?, ?> metadata
            && metadata.get("resourceVersion") instanceof String version
        ? Long.parseLong(version)
        : 0;
  }

  private HttpResponse<String> await(HttpRequest request, String doing) {
    try {
      return client
          .getHttpClient()
          .sendAsync(request, String.class)
          .get(DEADLINE_SECONDS + 5, TimeUnit.SECONDS);
    } catch (InterruptedException cause) {
      Thread.currentThread().interrupt();
      throw new ApiException(0, doing + ": interrupted", cause);
    } catch (ExecutionException | TimeoutException cause) {
      throw new ApiException(0, "%s: %s".formatted(doing, cause), cause);
    }
  }

  private @Nullable Object message(String body) {
    try {
      Map<?, ?> status = client.getKubernetesSerialization().unmarshal(body, Map.class);
      return status == null ? "" : status.get("message");
    } catch (RuntimeException notJson) {
      return body;
    }
  }
}
