package dev.berth.provider.kube;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.provider.kube.http.ScriptedServer;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@DisplayName("The watch of a node's pods")
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class PodWatchTest {
  private final List<AutoCloseable> parts = new ArrayList<>();
  private final Queue<String> lists = new ConcurrentLinkedQueue<>();
  private final Queue<List<String>> watches = new ConcurrentLinkedQueue<>();
  private final List<String> told = new CopyOnWriteArrayList<>();
  private final AtomicInteger ended = new AtomicInteger();
  private ScriptedServer server;

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable part : parts.reversed()) {
      part.close();
    }
  }

  private final class Teller implements PodWatch.Listener {
    @Override
    public void added(Pod pod) {
      told.add("+" + text(pod));
    }

    @Override
    public void changed(Pod before, Pod after) {
      told.add(text(before) + ">" + text(after));
    }

    @Override
    public void removed(Pod last) {
      told.add("-" + text(last));
    }

    private static String text(Pod pod) {
      assertEquals(List.of(), pod.getMetadata().getManagedFields());
      return pod.getMetadata().getUid() + "@" + pod.getMetadata().getResourceVersion();
    }
  }

  private static String pod(String uid, int version) {
    return """
    {"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"ns","uid":"%s","resourceVersion":"%d",\
    "managedFields":[{"manager":"m","fieldsV1":{"f:status":{".":{}}}}]},"spec":{"nodeName":"n","containers":[]}}"""
        .formatted(uid, version);
  }

  private static String list(String version, String next, String... pods) {
    return "{\"kind\":\"PodList\",\"metadata\":{\"resourceVersion\":\"%s\",\"continue\":\"%s\"},\"items\":[%s]}"
        .formatted(version, next, String.join(",", pods));
  }

  private static String event(String type, String object) {
    return "{\"type\":\"%s\",\"object\":%s}\n".formatted(type, object);
  }

  private void serve(ScriptedServer.Peer peer) throws IOException {
    while (true) {
      if (peer.request().contains("&watch=1")) {
        follow(peer);
      } else {
        String list = lists.remove();
        peer.answer(list.isEmpty() ? 403 : 200, list);
      }
    }
  }

  /** Says a watch's events and ends it, as what comes last says; without more to say it goes on. */
  private void follow(ScriptedServer.Peer peer) throws IOException {
    peer.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    List<String> script = watches.poll();
    if (script == null) {
      peer.awaitEnd();
      ended.incrementAndGet();
      return;
    }
    for (String text : script) {
      if (text.equals("break")) {
        throw new IOException("as the script says");
      }
      // In two pieces, to be put together again.
      int middle = text.length() / 2;
      for (String piece : List.of(text.substring(0, middle), text.substring(middle))) {
        peer.say("%x\r\n%s\r\n".formatted(piece.length(), piece));
      }
    }
    peer.say("0\r\n\r\n");
  }

  @BeforeEach
  void listen() throws IOException {
    server = ScriptedServer.plain(this::serve);
    parts.add(server);
  }

  private PodWatch watch() {
    KubernetesClient client =
        NodeClients.of(
            new ConfigBuilder(Config.empty())
                .withMasterUrl("http://127.0.0.1:" + server.port())
                .build());
    parts.add(client);
    RawApi api = new RawApi(client);
    parts.add(api);
    PodWatch watch = new PodWatch(api, "n", new Teller());
    parts.add(watch);
    return watch;
  }

  private void awaitTold(String... all) {
    await().untilAsserted(() -> assertEquals(List.of(all), told));
  }

  private List<String> targets(String part) {
    return server.requests().stream()
        .map(request -> request.split(" ", 3)[1])
        .filter(target -> target.contains(part))
        .toList();
  }

  @Test
  @DisplayName("tells what is there before it returns, page by page, and then each change")
  void follows() throws Exception {
    lists.add(list("1", "next page", pod("a", 5)));
    lists.add(list("9", "", pod("b", 6)));
    watches.add(
        List.of(
            event("ADDED", pod("c", 10)),
            event("MODIFIED", pod("a", 11)),
            event("DELETED", pod("b", 12))));
    PodWatch watch = watch();
    watch.start();
    assertEquals(List.of("+a@5", "+b@6"), told.subList(0, 2));
    awaitTold("+a@5", "+b@6", "+c@10", "a@5>a@11", "-b@12");
    assertEquals(
        List.of(
            "/api/v1/pods?fieldSelector=spec.nodeName%3Dn&limit=500",
            "/api/v1/pods?fieldSelector=spec.nodeName%3Dn&limit=500&continue=next+page"),
        targets("limit"));
    assertTrue(targets("watch").getFirst().contains("&resourceVersion=9&"));
  }

  @Test
  @DisplayName("goes on where it ended, be it in good order or in the middle of an event")
  void resumes() throws Exception {
    lists.add(list("1", ""));
    watches.add(
        List.of(
            event("ADDED", pod("a", 2)),
            event("BOOKMARK", "{\"kind\":\"Pod\",\"metadata\":{\"resourceVersion\":\"7\"}}")));
    watches.add(List.of(event("MODIFIED", pod("a", 8)), "{\"type\":\"MODI", "break"));
    watches.add(List.of(event("MODIFIED", pod("a", 9))));
    watch().start();
    awaitTold("+a@2", "a@2>a@8", "a@8>a@9");
    await().until(() -> targets("watch").size() >= 3);
    List<String> versions =
        targets("watch").stream()
            .map(target -> target.replaceAll(".*resourceVersion=([0-9]*).*", "$1"))
            .toList();
    assertEquals(List.of("1", "7", "8"), versions.subList(0, 3));
    assertEquals(1, targets("limit").size());
  }

  @Test
  @DisplayName("lists again when the server has forgotten where it ended, and tells what happened")
  void listsAgain() throws Exception {
    lists.add(list("1", "", pod("a", 1), pod("b", 1), pod("c", 1)));
    watches.add(
        List.of(event("ERROR", "{\"kind\":\"Status\",\"code\":410,\"message\":\"too old\"}")));
    lists.add(list("20", "", pod("anew", 15), pod("b", 16), pod("c", 1)));
    watch().start();
    awaitTold("+a@1", "+b@1", "+c@1", "-a@1", "+anew@15", "b@1>b@16");
    await().until(() -> targets("watch").size() == 2);
    assertTrue(targets("watch").getLast().contains("&resourceVersion=20&"));
  }

  @Test
  @DisplayName("fails at the start when the pods cannot be listed")
  void refused() throws Exception {
    lists.add("");
    PodWatch watch = watch();
    assertEquals(403, assertThrows(ApiException.class, watch::start).status());
  }

  @Test
  @DisplayName("ends with its connection")
  void closes() throws Exception {
    lists.add(list("1", ""));
    PodWatch watch = watch();
    watch.start();
    await().until(() -> targets("watch").size() == 1);
    watch.close();
    await().until(() -> ended.get() == 1);
    assertEquals(1, targets("watch").size());
  }
}
