package dev.berth.provider.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Port forwarding as Kubernetes' own client library does it, over SPDY and within a WebSocket. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class PortForwardTest {
  private static final Logger LOG = LoggerFactory.getLogger(PortForwardTest.class);
  private static final Pattern READY = Pattern.compile("Forwarding from 127.0.0.1:(\\d+) .*");

  @TempDir Path directory;
  private TestServer server;
  private ServerSocket echo;

  @BeforeEach
  void start() throws Exception {
    server = TestServer.open(directory);
    echo = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::serveEcho);
  }

  @AfterEach
  void stop() throws Exception {
    echo.close();
    server.close();
  }

  private void serveEcho() {
    while (!echo.isClosed()) {
      try {
        Socket socket = echo.accept();
        Thread.ofVirtual()
            .start(
                () -> {
                  try (socket) {
                    socket.getInputStream().transferTo(socket.getOutputStream());
                  } catch (IOException e) {
                    LOG.info("echo", e);
                  }
                });
      } catch (IOException e) {
        LOG.info("echo ended", e);
      }
    }
  }

  private Process forward(String protocol, int port) throws Exception {
    return GoClient.start(
        server, "/portForward/default/web", "-protocol", protocol, "-ports", "0:" + port);
  }

  private static int localPort(Process client) throws IOException {
    @Nullable String said = client.inputReader(UTF_8).readLine();
    if (said == null) {
      throw new AssertionError(new String(client.getErrorStream().readAllBytes(), UTF_8));
    }
    Matcher line = READY.matcher(said);
    assertTrue(line.matches(), said);
    return Integer.parseInt(line.group(1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void connectionsOneAfterAnotherAreEchoedToTheirEnd(String protocol) throws Exception {
    Process client = forward(protocol, echo.getLocalPort());
    int port = localPort(client);
    byte[] sent = new byte[3 << 20];
    new Random(3).nextBytes(sent);
    for (int i = 0; i < 5; i++) {
      try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        Thread.ofVirtual().start(() -> send(socket, sent));
        assertArrayEquals(sent, socket.getInputStream().readAllBytes());
      }
    }
    client.getOutputStream().close();
    assertTrue(client.waitFor(30, TimeUnit.SECONDS));
    assertEquals(0, client.exitValue());
  }

  private static void send(Socket socket, byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      socket.shutdownOutput();
    } catch (IOException e) {
      LOG.info("sender", e);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"spdy", "websocket"})
  void refusedConnectionSaysWhy(String protocol) throws Exception {
    int closed = echo.getLocalPort();
    echo.close();
    Process client = forward(protocol, closed);
    int port = localPort(client);
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), port);
        InputStream input = socket.getInputStream()) {
      assertEquals(-1, input.read());
    }
    String error = client.errorReader(UTF_8).readLine();
    assertTrue(
        error.contains(
            "error forwarding port %d to pod web, uid uid-1: connection refused on port %d"
                .formatted(closed, closed)),
        error);
    client.getOutputStream().close();
    assertTrue(client.waitFor(30, TimeUnit.SECONDS));
  }
}
