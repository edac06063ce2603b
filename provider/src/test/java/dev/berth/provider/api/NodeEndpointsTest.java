package dev.berth.provider.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is told of the node as a whole. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class NodeEndpointsTest {
  @TempDir static Path directory;
  private TestServer server;

  @BeforeEach
  void start() throws Exception {
    server = TestServer.open(directory);
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  private JsonNode json(String path) throws Exception {
    HttpResponse<String> response = server.get(path);
    assertEquals(200, response.statusCode(), response.body());
    assertEquals("application/json", response.headers().firstValue("content-type").orElse(""));
    return JsonMapper.builder().build().readTree(response.body());
  }

  @ParameterizedTest
  @CsvSource({"/pods", "/runningpods/"})
  void podsAreAPodList(String path) throws Exception {
    JsonNode list = json(path);
    assertEquals("PodList", list.get("kind").asString());
    assertEquals("v1", list.get("apiVersion").asString());
    assertEquals("web", list.get("items").get(0).get("metadata").get("name").asString());
  }

  @ParameterizedTest
  @CsvSource({
    "/healthz,200",
    "/healthz/ping,200",
    "/healthz/syncloop,200",
    "/no/such,404",
    "/exec,404",
    "/containerLogs/default/web,404"
  })
  void pathsHaveTheirStatus(String path, int status) throws Exception {
    assertEquals(status, server.get(path).statusCode());
  }

  @Test
  void aLoopThatIsStuckIsNoHealth() throws Exception {
    server.pods.trouble = Optional.of("nobody looks after pod web");
    assertEquals(500, server.get("/healthz").statusCode());
    assertEquals(200, server.get("/healthz/ping").statusCode());
    HttpResponse<String> loop = server.get("/healthz/syncloop");
    assertEquals(500, loop.statusCode());
    assertTrue(loop.body().contains("syncloop failed: nobody looks after pod web"), loop.body());
    server.pods.trouble = Optional.empty();
    assertEquals(200, server.get("/healthz/syncloop").statusCode());
  }

  @Test
  void wrongMethodIsRefused() throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(server.request("/pods"), (name, value) -> true)
            .POST(HttpRequest.BodyPublishers.noBody())
            .build();
    assertEquals(
        405, server.client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
  }

  @Test
  void metricsCountRequests() throws Exception {
    server.get("/healthz");
    server.get("/no/such");
    String text = server.get("/metrics").body();
    assertTrue(
        text.contains("berth_kubelet_requests_seconds_count{code=\"200\",path=\"healthz\"} 1"),
        text);
    assertTrue(
        text.contains("berth_kubelet_requests_seconds_count{code=\"404\",path=\"other\"} 1"), text);
  }

  @Test
  void resourceUseIsTold() throws Exception {
    String text = server.get("/metrics/resource").body();
    assertTrue(
        text.contains(
            "container_cpu_usage_seconds_total"
                + "{container=\"app\",namespace=\"default\",pod=\"web\"} 1.5 0\n"),
        text);
    JsonNode summary = json("/stats/summary");
    assertEquals("node-1", summary.get("node").get("nodeName").asString());
    JsonNode container = summary.get("pods").get(0).get("containers").get(0);
    assertEquals(4096, container.get("memory").get("workingSetBytes").asLong());
  }

  @Test
  void configurationIsTold() throws Exception {
    JsonNode values = json("/configz").get("kubeletconfig");
    assertEquals("300s", values.get("streamingConnectionIdleTimeout").asString());
  }

  @Test
  void closedServerTakesNobody() throws Exception {
    assertEquals(200, server.get("/healthz").statusCode());
    server.server.close();
    assertThrows(java.io.IOException.class, () -> server.get("/healthz"));
  }
}
