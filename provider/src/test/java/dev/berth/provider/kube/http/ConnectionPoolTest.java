package dev.berth.provider.kube.http;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Requests over kept connections")
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class ConnectionPoolTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofMillis(300);
  private final List<AutoCloseable> parts = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable part : parts.reversed()) {
      part.close();
    }
  }

  private ScriptedServer server(ScriptedServer.Script script) throws IOException {
    ScriptedServer server = ScriptedServer.plain(script);
    parts.add(server);
    return server;
  }

  private ConnectionPool pool(String scheme, ScriptedServer server, int connections) {
    ConnectionPool pool =
        new ConnectionPool(
            Endpoint.of(
                URI.create("%s://127.0.0.1:%d".formatted(scheme, server.port())),
                host -> new Endpoint.Tls(ConnectionPoolTest::context, host, true)),
            connections);
    parts.add(pool);
    return pool;
  }

  private static SSLContext context() {
    try {
      return SSLContext.getDefault();
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private ConnectionPool pool(ScriptedServer server) {
    return pool("http", server, 4);
  }

  private static Request request(String method, String body) {
    return new Request(
        method,
        "/path?query=1",
        Map.of("Accept", "application/json"),
        body.getBytes(StandardCharsets.UTF_8),
        !method.equals("POST"));
  }

  private static String text(Response response) {
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  /** Tells that it was asked, and never answers. */
  private static ScriptedServer.Script silent(CountDownLatch asked) {
    return peer -> {
      peer.request();
      asked.countDown();
      peer.awaitEnd();
    };
  }

  private static ScriptedServer.Script echo() {
    return peer -> {
      while (true) {
        String request = peer.request();
        peer.answer(200, request.substring(request.indexOf("\r\n\r\n") + 4));
      }
    };
  }

  @Test
  @DisplayName("leave in one piece, with the length of their body, and use one connection")
  void requests() throws Exception {
    ScriptedServer server = server(echo());
    ConnectionPool pool = pool(server);
    assertEquals("häuser", text(pool.exchange(request("PATCH", "häuser"), PATIENCE)));
    assertEquals("", text(pool.exchange(request("GET", ""), PATIENCE)));
    assertEquals(
        "PATCH /path?query=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: application/json\r\nContent-Length: 7\r\n\r\nhäuser"
            .formatted(server.port()),
        server.requests().getFirst());
    assertEquals(1, server.connections());
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("get what was answered, and keep the connection only after a clear end")
  @CsvSource(
      delimiter = '|',
      value = {
        "HTTP/1.1 200 OK~Content-Length: 3~~one | 200 | one | true",
        "HTTP/1.1 200~content-length:3~~one | 200 | one | true",
        "HTTP/1.1 404 Not Found~Content-Length: 0~~ | 404 | '' | true",
        "HTTP/1.1 204 No Content~~ | 204 | '' | true",
        "HTTP/1.1 200 OK~Content-Length: 3, 3~~one | 200 | one | true",
        "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~3~one~a;x=y~0123456789~0~~ | 200 | one0123456789 | true",
        "HTTP/1.1 200 OK~Transfer-Encoding: Chunked~~3~one~0~Trailer: yes~~ | 200 | one | true",
        "HTTP/1.1 100 Continue~~HTTP/1.1 103 Early Hints~Link: x~~HTTP/1.1 200 OK~Content-Length: 3~~one | 200 | one | true",
        "HTTP/1.1 200 OK~Connection: close~Content-Length: 3~~one | 200 | one | false",
        "HTTP/1.1 200 OK~Connection: x, Close~Content-Length: 3~~one | 200 | one | false",
        "HTTP/1.0 200 OK~Content-Length: 3~~one | 200 | one | false",
        "HTTP/1.1 200 OK~Content-Length: 9~Transfer-Encoding: chunked~~3~one~0~~ | 200 | one | false",
        "HTTP/1.1 200 OK~Content-Length: 3~~one too many | 200 | one | false",
        "HTTP/1.1 200 OK~~until the end! | 200 | until the end | false",
      })
  void answers(String script, int status, String body, boolean kept) throws Exception {
    ScriptedServer server =
        server(
            peer -> {
              while (true) {
                peer.request();
                peer.say(script.replace("!", "").replace("~", "\r\n"));
                if (script.endsWith("!")) {
                  return;
                }
              }
            });
    ConnectionPool pool = pool(server);
    for (int i = 0; i < 2; i++) {
      Response response = pool.exchange(request("GET", ""), PATIENCE);
      assertEquals(status, response.status());
      assertEquals(body, text(response));
    }
    assertEquals(kept ? 1 : 2, server.connections());
  }

  @ParameterizedTest(name = "{0}")
  @DisplayName("fail when the answer can be understood in two ways, or not at all")
  @ValueSource(
      strings = {
        "SSH-2.0-OpenSSH_9.2~~",
        "HTTP/2 200 OK~~",
        "HTTP/1.1 20 OK~~",
        "HTTP/1.1 200 OK~Content-Length: 3~Content-Length: 4~~one",
        "HTTP/1.1 200 OK~Content-Length: -3~~one",
        "HTTP/1.1 200 OK~Content-Length: 0x3~~one",
        "HTTP/1.1 200 OK~Content-Length: 99999999999~~one",
        "HTTP/1.1 200 OK~Content-Length : 3~~one",
        "HTTP/1.1 200 OK~X: y~ folded~Content-Length: 3~~one",
        "HTTP/1.1 200 OK~no colon~~",
        "HTTP/1.1 200 OK~Transfer-Encoding: gzip, chunked~~0~~",
        "HTTP/1.1 200 OK~Content-Encoding: gzip~Content-Length: 3~~one",
        "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~-3~one~0~~",
        "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~3~ones~0~~",
        "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~fffffffff~one~0~~",
        "HTTP/1.1 101 Switching Protocols~Upgrade: h2c~~",
      })
  void malformed(String script) throws Exception {
    ScriptedServer server =
        server(
            peer -> {
              peer.request();
              peer.say(script.replace("~", "\r\n"));
              peer.awaitEnd();
            });
    assertThrows(
        ProtocolException.class, () -> pool(server).exchange(request("GET", ""), PATIENCE));
  }

  @Test
  @DisplayName("fail when the answer's head does not end")
  void endless() throws Exception {
    ScriptedServer server =
        server(
            peer -> {
              peer.request();
              peer.say("HTTP/1.1 200 OK\r\n");
              while (true) {
                peer.say("X: y\r\n".repeat(1000));
              }
            });
    assertThrows(
        ProtocolException.class, () -> pool(server).exchange(request("GET", ""), PATIENCE));
  }

  @ParameterizedTest
  @DisplayName("are not sent again when the answer had begun")
  @ValueSource(
      strings = {
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"
      })
  void truncated(String answer) throws Exception {
    ScriptedServer server =
        server(
            peer -> {
              peer.request();
              peer.answer(200, "one");
              peer.request();
              peer.say(answer);
            });
    ConnectionPool pool = pool(server);
    assertEquals("one", text(pool.exchange(request("GET", ""), PATIENCE)));
    assertThrows(EOFException.class, () -> pool.exchange(request("GET", ""), PATIENCE));
    assertEquals(2, server.requests().size());
  }

  @Test
  @DisplayName("are sent again over a new connection when the server closed the kept one")
  void stale() throws Exception {
    ScriptedServer server =
        server(
            peer -> {
              peer.request();
              peer.answer(200, "one");
            });
    ConnectionPool pool = pool(server);
    for (int i = 1; i <= 3; i++) {
      assertEquals("one", text(pool.exchange(request("PATCH", "x"), PATIENCE)));
      assertEquals(i, server.connections());
    }
  }

  @Test
  @DisplayName("are not sent again when that could do harm")
  void staleButNotRepeatable() throws Exception {
    ScriptedServer server =
        server(
            peer -> {
              peer.request();
              peer.answer(200, "one");
              peer.request();
            });
    ConnectionPool pool = pool(server);
    assertEquals("one", text(pool.exchange(request("POST", "x"), PATIENCE)));
    assertThrows(IOException.class, () -> pool.exchange(request("POST", "x"), PATIENCE));
    assertEquals(2, server.requests().size());
    assertEquals("one", text(pool.exchange(request("POST", "x"), PATIENCE)));
  }

  @Test
  @DisplayName("are not sent a third time")
  void alwaysClosing() throws Exception {
    AtomicInteger answers = new AtomicInteger();
    ScriptedServer server =
        server(
            peer -> {
              peer.request();
              if (answers.getAndIncrement() == 0) {
                peer.answer(200, "one");
                peer.request();
              }
            });
    ConnectionPool pool = pool(server);
    assertEquals("one", text(pool.exchange(request("GET", ""), PATIENCE)));
    assertThrows(EOFException.class, () -> pool.exchange(request("GET", ""), PATIENCE));
    assertEquals(3, server.requests().size());
    assertEquals(2, server.connections());
  }

  @Test
  @DisplayName("end at their deadline when no answer comes, and close the connection")
  void late() throws Exception {
    CountDownLatch ended = new CountDownLatch(1);
    ScriptedServer server =
        server(
            peer -> {
              peer.request();
              peer.say("HTTP/1.1 200 OK\r\n");
              peer.awaitEnd();
              ended.countDown();
            });
    assertThrows(
        SocketTimeoutException.class, () -> pool(server).exchange(request("GET", ""), SHORT));
    assertTrue(ended.await(30, TimeUnit.SECONDS));
  }

  @Test
  @DisplayName("end at their deadline when the server does not take part in the handshake")
  void silentHandshake() throws Exception {
    ScriptedServer server = server(ScriptedServer.Peer::awaitEnd);
    assertThrows(
        SocketTimeoutException.class,
        () -> pool("https", server, 1).exchange(request("GET", ""), SHORT));
  }

  @Test
  @DisplayName("end at their deadline when the server does not read them")
  void unread() throws Exception {
    CountDownLatch over = new CountDownLatch(1);
    ScriptedServer server =
        server(
            peer -> {
              try {
                over.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            });
    Request large = request("PATCH", "x".repeat(40 << 20));
    assertThrows(SocketTimeoutException.class, () -> pool(server).exchange(large, SHORT));
    over.countDown();
  }

  @Test
  @DisplayName("end at their deadline when every connection is in use")
  void noTurn() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    ScriptedServer server = server(silent(asked));
    ConnectionPool pool = pool("http", server, 1);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> first = threads.submit(() -> pool.exchange(request("GET", ""), PATIENCE));
      assertTrue(asked.await(30, TimeUnit.SECONDS));
      assertThrows(SocketTimeoutException.class, () -> pool.exchange(request("GET", ""), SHORT));
      assertEquals(1, server.connections());
      pool.close();
      assertThrows(ExecutionException.class, first::get);
    }
  }

  @Test
  @DisplayName("share few connections")
  void bounded() throws Exception {
    ScriptedServer server = server(echo());
    ConnectionPool pool = pool("http", server, 3);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Response>> all = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        String body = "body " + i;
        all.add(threads.submit(() -> pool.exchange(request("PATCH", body), PATIENCE)));
      }
      for (int i = 0; i < all.size(); i++) {
        assertEquals("body " + i, text(all.get(i).get()));
      }
    }
    assertTrue(server.connections() <= 3, () -> server.connections() + " connections");
  }

  @Test
  @DisplayName("end when their virtual thread is interrupted")
  void interrupted() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    ScriptedServer server = server(silent(asked));
    ConnectionPool pool = pool(server);
    CompletableFuture<Throwable> outcome = new CompletableFuture<>();
    Thread thread =
        Thread.ofVirtual()
            .start(
                () ->
                    outcome.complete(
                        assertThrows(
                            Throwable.class, () -> pool.exchange(request("GET", ""), PATIENCE))));
    assertTrue(asked.await(30, TimeUnit.SECONDS));
    thread.interrupt();
    assertInstanceOf(InterruptedException.class, outcome.get(30, TimeUnit.SECONDS));
  }

  @Test
  @DisplayName("end when the pool is closed, and none is sent afterwards")
  void closed() throws Exception {
    CountDownLatch asked = new CountDownLatch(1);
    AtomicBoolean ended = new AtomicBoolean();
    ScriptedServer server =
        server(
            peer -> {
              peer.request();
              asked.countDown();
              peer.awaitEnd();
              ended.set(true);
            });
    ConnectionPool pool = pool(server);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> under = threads.submit(() -> pool.exchange(request("GET", ""), PATIENCE));
      assertTrue(asked.await(30, TimeUnit.SECONDS));
      pool.close();
      assertInstanceOf(
          IOException.class, assertThrows(ExecutionException.class, under::get).getCause());
    }
    await().untilTrue(ended);
    assertThrows(IOException.class, () -> pool.exchange(request("GET", ""), PATIENCE));
    assertEquals(1, server.requests().size());
  }

  @ParameterizedTest
  @DisplayName("cannot carry another request in their path")
  @ValueSource(strings = {"/a b", "/a\r\nX: y", "a", "/ä"})
  void paths(String path) {
    assertThrows(
        IllegalArgumentException.class,
        () -> new Request("GET", path, Map.of(), new byte[0], true));
  }

  @Test
  @DisplayName("cannot carry another header in one, and do not say what was in it")
  void headers() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                new Request(
                    "GET", "/", Map.of("Authorization", "secret\r\nX: y"), new byte[0], true));
    assertEquals("header Authorization has a value of other characters", refused.getMessage());
  }
}
