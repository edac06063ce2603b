package dev.berth.provider.api;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.DefaultSpdyPingFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynStreamFrame;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyVersion;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the server does with clients that keep to no rule. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class SpdyRobustnessTest {
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

  /** The bytes of frames of a well-behaved client. */
  private static byte[] frames(Object... frames) {
    var channel =
        new EmbeddedChannel(new SpdyFrameCodec(SpdyVersion.SPDY_3_1, 8192, 16384, 6, 15, 8, false));
    ByteBuf all = Unpooled.buffer();
    for (Object frame : frames) {
      channel.writeOutbound(frame);
      for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
        all.writeBytes(part);
        part.release();
      }
    }
    channel.finishAndReleaseAll();
    byte[] bytes = new byte[all.readableBytes()];
    all.readBytes(bytes);
    return bytes;
  }

  private static DefaultSpdySynStreamFrame open(int id, String type) {
    var frame = new DefaultSpdySynStreamFrame(id, 0, (byte) 0, false);
    frame.headers().add("streamtype", type);
    return frame;
  }

  private RawClient upgraded() throws Exception {
    var client = new RawClient(server);
    String answer = client.upgrade("v4.channel.k8s.io");
    assertTrue(answer.startsWith("HTTP/1.1 101"), answer);
    return client;
  }

  private void assertServes() throws Exception {
    assertEquals("ok", server.get("/healthz").body());
  }

  @ParameterizedTest
  @CsvSource({
    "'v5.channel.k8s.io,v4.channel.k8s.io,v3.channel.k8s.io',v4.channel.k8s.io",
    "'v3.channel.k8s.io,v4.channel.k8s.io',v3.channel.k8s.io",
    "channel.k8s.io,channel.k8s.io"
  })
  void clientsOrderChoosesTheProtocol(String offered, String chosen) throws Exception {
    try (var client = new RawClient(server)) {
      String answer = client.upgrade(offered).toLowerCase(java.util.Locale.ROOT);
      assertTrue(answer.startsWith("http/1.1 101"), answer);
      assertTrue(answer.contains("upgrade: spdy/3.1\r\n"), answer);
      assertTrue(answer.contains("x-stream-protocol-version: " + chosen + "\r\n"), answer);
    }
  }

  @Test
  void unfitUpgradesAreRefused() throws Exception {
    try (var client = new RawClient(server)) {
      assertTrue(client.upgrade("v9.channel.k8s.io").startsWith("HTTP/1.1 403"));
    }
    try (var client = new RawClient(server)) {
      String path = "/exec/default/web/app?command=cat&output=1";
      assertTrue(client.request("GET " + path + " HTTP/1.1").startsWith("HTTP/1.1 400"));
    }
    try (var client = new RawClient(server)) {
      String path = "/exec/default/web/app?command=cat";
      assertTrue(client.request("POST " + path + " HTTP/1.1").startsWith("HTTP/1.1 400"));
    }
  }

  @Test
  void clientThatOpensNoStreamsIsDropped() throws Exception {
    try (RawClient client = upgraded()) {
      assertTrue(client.isClosedByServer());
    }
    assertTrue(server.containers.processes.isEmpty());
  }

  @Test
  void pingIsEchoed() throws Exception {
    try (RawClient client = upgraded()) {
      byte[] ping = frames(new DefaultSpdyPingFrame(7));
      client.output().write(ping);
      org.junit.jupiter.api.Assertions.assertArrayEquals(
          ping, client.input().readNBytes(ping.length));
    }
  }

  @Test
  void streamNumbersMustBeOddAndGrow() throws Exception {
    for (int second : new int[] {2, 1}) {
      try (RawClient client = upgraded()) {
        client.output().write(frames(open(1, "error"), open(second, "stdin")));
        assertTrue(client.isClosedByServer());
      }
    }
    assertServes();
  }

  @Test
  void dataForUnknownStreamsIsPassedOver() throws Exception {
    try (RawClient client = upgraded()) {
      client
          .output()
          .write(
              frames(
                  new DefaultSpdyDataFrame(99, Unpooled.wrappedBuffer(new byte[100])),
                  open(1, "error"),
                  open(3, "stdin"),
                  open(5, "stdout"),
                  new DefaultSpdyDataFrame(3).setLast(true)));
      assertTrue(client.isClosedByServer());
    }
    assertEquals(1, server.containers.processes.size());
  }

  /** Whole sessions with some bytes changed leave neither a process nor a request. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void spoiltFramesLeaveNothing(long seed) throws Exception {
    var random = new Random(seed);
    for (int round = 0; round < 15; round++) {
      byte[] session =
          frames(
              open(1, "error"),
              open(3, "stdin"),
              open(5, "stdout"),
              new DefaultSpdyDataFrame(3, Unpooled.wrappedBuffer(new byte[200])),
              new DefaultSpdyPingFrame(1),
              new DefaultSpdyDataFrame(3).setLast(true));
      for (int i = 0; i <= random.nextInt(8); i++) {
        session[random.nextInt(session.length)] = (byte) random.nextInt();
      }
      sendAndLeave(session);
    }
    assertNothingIsLeft();
  }

  @ParameterizedTest
  @ValueSource(longs = {5, 6})
  void noiseLeavesNothing(long seed) throws Exception {
    var random = new Random(seed);
    for (int round = 0; round < 15; round++) {
      byte[] noise = new byte[1 + random.nextInt(4096)];
      random.nextBytes(noise);
      sendAndLeave(noise);
    }
    assertNothingIsLeft();
  }

  /** A spoilt length may leave the server waiting for more, which only the client's end tells. */
  private void sendAndLeave(byte[] bytes) throws Exception {
    try (RawClient client = upgraded()) {
      client.output().write(bytes);
      client.output().flush();
    } catch (IOException e) {
      // The server has closed before all was written: as it should.
      assertServes();
    }
  }

  private void assertNothingIsLeft() throws Exception {
    assertServes();
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                server.containers.processes.stream().noneMatch(Process::isAlive)
                    && server.meters.get("berth.kubelet.requests.running").gauge().value() == 0);
  }
}
