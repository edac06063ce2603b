package dev.berth.provider.api;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
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

  /** What a client of old hears by channel, until the connection ends. */
  private static final class Channels implements WebSocket.Listener {
    private final Map<Integer, ByteArrayOutputStream> heard = new HashMap<>();
    private final CompletableFuture<Integer> closed = new CompletableFuture<>();
    private int current = -1;

    @Override
    public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
      if (current < 0) {
        current = data.get();
      }
      byte[] bytes = new byte[data.remaining()];
      data.get(bytes);
      synchronized (heard) {
        heard.computeIfAbsent(current, channel -> new ByteArrayOutputStream()).writeBytes(bytes);
      }
      current = last ? -1 : current;
      socket.request(1);
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<?> onClose(WebSocket socket, int status, String reason) {
      closed.complete(status);
      return CompletableFuture.completedFuture(null);
    }

    byte[] of(int channel) {
      synchronized (heard) {
        return heard.getOrDefault(channel, new ByteArrayOutputStream()).toByteArray();
      }
    }
  }

  private WebSocket channels(String query, Channels listener) {
    return server
        .client
        .newWebSocketBuilder()
        .subprotocols("v4.channel.k8s.io")
        .buildAsync(
            URI.create(server.url("/portForward/default/web" + query).replace("https:", "wss:")),
            listener)
        .join();
  }

  private static byte[] littleEndian(int port) {
    return new byte[] {(byte) port, (byte) (port >> 8)};
  }

  @Test
  void channelsOfAWebSocketBeginWithTheirPort() throws Exception {
    int open = echo.getLocalPort();
    int refused;
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      refused = other.getLocalPort();
    }
    Channels heard = new Channels();
    WebSocket socket = channels("?port=%d&port=%d".formatted(open, refused), heard);
    byte[] hello = {0, 'h', 'e', 'l', 'l', 'o'};
    socket.sendBinary(ByteBuffer.wrap(hello), true).join();
    byte[] echoed = {littleEndian(open)[0], littleEndian(open)[1], 'h', 'e', 'l', 'l', 'o'};
    await().untilAsserted(() -> assertArrayEquals(echoed, heard.of(0)));
    assertArrayEquals(littleEndian(open), heard.of(1));
    assertArrayEquals(littleEndian(refused), heard.of(2));
    String why =
        "error forwarding port %1$d to pod web, uid uid-1: connection refused on port %1$d"
            .formatted(refused);
    await()
        .untilAsserted(
            () -> {
              byte[] error = heard.of(3);
              assertEquals(why, new String(error, 2, error.length - 2, UTF_8));
            });
    socket.abort();
  }

  @Test
  void aWebSocketEndsWithTheLastOfItsConnections() throws Exception {
    int closed = echo.getLocalPort();
    echo.close();
    Channels heard = new Channels();
    channels("?port=" + closed, heard);
    assertEquals(1000, heard.closed.get(30, TimeUnit.SECONDS));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "?port=", "?port=0", "?port=80,99999", "?port=http"})
  void channelsNeedPorts(String query) {
    CompletionException refused =
        assertThrows(CompletionException.class, () -> channels(query, new Channels()));
    var handshake = assertInstanceOf(WebSocketHandshakeException.class, refused.getCause());
    assertEquals(400, handshake.getResponse().statusCode());
  }
}
