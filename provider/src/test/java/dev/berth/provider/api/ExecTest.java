package dev.berth.provider.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.interaction.ExecSpec.TerminalSize;
import java.io.InputStream;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Exec and attach as Kubernetes' own client library does them, over both protocols. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ExecTest {
  private static final long MEBIBYTE = 1 << 20;

  @TempDir Path directory;
  private TestServer server;

  @BeforeEach
  void start() throws Exception {
    server = TestServer.open(directory);
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  private static String path(String streams, String... command) {
    var path = new StringBuilder("/exec/default/web/app?" + streams);
    for (String word : command) {
      path.append("&command=").append(URLEncoder.encode(word, UTF_8));
    }
    return path.toString();
  }

  private Process exec(String protocol, String script, String... flags) throws Exception {
    boolean stdin = List.of(flags).contains("-stdin");
    var arguments = new ArrayList<>(List.of("-protocol", protocol));
    arguments.addAll(List.of(flags));
    return GoClient.start(
        server,
        path((stdin ? "input=1&" : "") + "output=1&error=1", "sh", "-c", script),
        arguments.toArray(String[]::new));
  }

  private static int await(Process process) throws InterruptedException {
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("the client did not end");
    }
    return process.exitValue();
  }

  private static String text(InputStream stream) throws Exception {
    return new String(stream.readAllBytes(), UTF_8);
  }

  @ParameterizedTest
  @CsvSource({
    "spdy,0",
    "spdy,1",
    "spdy,137",
    "spdy,127",
    "websocket,0",
    "websocket,1",
    "websocket,137",
    "websocket,127"
  })
  void exitCodeArrivesAfterAllOutput(String protocol, int code) throws Exception {
    String end = code == 137 ? "kill -9 $$" : "exit " + code;
    Process client = exec(protocol, "echo out; echo err >&2; " + end);
    assertEquals("out\n", text(client.getInputStream()));
    String errors = text(client.getErrorStream());
    assertEquals(code, await(client), errors);
    assertEquals("err\n", errors);
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void commandNotFoundIs127AndSaysWhy(String protocol) throws Exception {
    Process client =
        GoClient.start(server, path("output=1&error=1", "/no/such"), "-protocol", protocol);
    assertTrue(text(client.getErrorStream()).contains("\"/no/such\": not found"));
    assertEquals(127, await(client));
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void refusedExecSaysWhy(String protocol) throws Exception {
    Process client =
        GoClient.start(server, path("output=1&error=1", "refuse"), "-protocol", protocol);
    assertTrue(text(client.getErrorStream()).contains("the container does not run"));
    assertEquals(99, await(client));
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void fiftyMebibytesGoInAndOutUnchanged(String protocol) throws Exception {
    Process client = exec(protocol, "cat", "-stdin");
    MessageDigest sent = MessageDigest.getInstance("SHA-256");
    Thread feeder =
        Thread.ofVirtual()
            .start(
                () -> {
                  byte[] block = new byte[(int) MEBIBYTE];
                  var random = new Random(7);
                  try (var target = new DigestOutputStream(client.getOutputStream(), sent)) {
                    for (int i = 0; i < 50; i++) {
                      random.nextBytes(block);
                      target.write(block);
                    }
                  } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                  }
                });
    MessageDigest received = MessageDigest.getInstance("SHA-256");
    long count =
        new DigestInputStream(client.getInputStream(), received)
            .transferTo(java.io.OutputStream.nullOutputStream());
    assertTrue(feeder.join(Duration.ofSeconds(60)));
    assertEquals(0, await(client), text(client.getErrorStream()));
    assertEquals(50 * MEBIBYTE, count);
    assertArrayEquals(sent.digest(), received.digest());
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void endOfInputReachesTheProcessAndOutputGoesOn(String protocol) throws Exception {
    Process client = exec(protocol, "wc -c; echo after", "-stdin");
    client.getOutputStream().write("hello".getBytes(UTF_8));
    client.getOutputStream().close();
    assertEquals("5\nafter\n", text(client.getInputStream()));
    assertEquals(0, await(client));
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void terminalSizesArriveInOrder(String protocol) throws Exception {
    Process client =
        GoClient.start(
            server,
            path("input=1&output=1&tty=1", "cat"),
            "-protocol",
            protocol,
            "-tty",
            "-stdin",
            "-sizes",
            "[{\"Width\":80,\"Height\":24},{\"Width\":132,\"Height\":50}]");
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> !server.containers.sessions.isEmpty());
    HostSession session = server.containers.sessions.getFirst();
    Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> session.sizes.size() == 2);
    assertEquals(List.of(new TerminalSize(80, 24), new TerminalSize(132, 50)), session.sizes);
    client.getOutputStream().close();
    assertEquals(0, await(client), text(client.getErrorStream()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void twentyAtOnce(String protocol) throws Exception {
    var clients = new ArrayList<Process>();
    for (int i = 0; i < 20; i++) {
      clients.add(exec(protocol, "seq 1 1000; exit " + i));
    }
    for (int i = 0; i < 20; i++) {
      assertEquals(3893, text(clients.get(i).getInputStream()).length());
      assertEquals(i, await(clients.get(i)));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void clientThatGoesEndsTheProcess(String protocol) throws Exception {
    Process client = exec(protocol, "echo begun; exec sleep 600");
    assertEquals('b', client.getInputStream().read());
    client.destroyForcibly();
    Process process = server.containers.processes.getFirst();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void slowReaderHoldsTheProcessBack(String protocol) throws Exception {
    Path counter = directory.resolve("written");
    Process client =
        exec(
            protocol,
            "for i in $(seq 1 64); do head -c 1048576 /dev/zero; echo $i > " + counter + "; done",
            "-read-delay",
            "8s");
    // Until the client reads, only what the buffers on the way hold can have been written.
    var last = new AtomicReference<>("");
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofSeconds(1))
        .until(
            () -> {
              String now = Files.exists(counter) ? Files.readString(counter).strip() : "";
              return !now.isEmpty() && now.equals(last.getAndSet(now));
            });
    int early = Integer.parseInt(last.get());
    long count = client.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
    assertEquals(64 * MEBIBYTE, count);
    assertTrue(early < 32, "the process was let write " + early + " MiB");
    assertEquals(0, await(client));
  }

  @Test
  void attachPassesInputAndEndsWithSuccess() throws Exception {
    Process client =
        GoClient.start(server, "/attach/default/web/app?input=1&output=1&error=1", "-stdin");
    client.getOutputStream().write("hello\n".getBytes(UTF_8));
    client.getOutputStream().close();
    assertEquals("attached\nhello\n", text(client.getInputStream()));
    assertEquals(0, await(client));
  }
}
