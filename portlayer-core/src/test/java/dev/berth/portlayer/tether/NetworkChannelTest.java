package dev.berth.portlayer.tether;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.tether.NetworkChannel.Target;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** When a guest's control interface is dialled, and when it is not. */
class NetworkChannelTest {
  private final AtomicLong now = new AtomicLong();
  private final AtomicInteger dials = new AtomicInteger();
  private Server server;
  private Optional<Target> target = Optional.empty();
  private NetworkChannel network;

  @BeforeEach
  void begin() throws IOException {
    server = listen(0);
    target = Optional.of(new Target(address(), "first boot"));
    network =
        new NetworkChannel(
            "vm-1",
            () -> target,
            address -> {
              dials.incrementAndGet();
              return NettyChannelBuilder.forAddress(address).usePlaintext().build();
            },
            now::get);
  }

  private static Server listen(int port) throws IOException {
    return NettyServerBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
        .build()
        .start();
  }

  private InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort());
  }

  @AfterEach
  void end() {
    network.close();
    server.shutdownNow();
  }

  @Test
  void aSessionThatStandsIsUsedAgain() {
    ManagedChannel channel = network.open().orElseThrow();
    assertSame(channel, network.open().orElseThrow());
    assertEquals(1, dials.get());
  }

  @Test
  void aGuestWithoutOneIsNotDialled() {
    target = Optional.empty();
    assertTrue(network.open().isEmpty());
    assertEquals(0, dials.get());
  }

  @Test
  void afterAFailureItIsLeftAloneForAMinute() throws Exception {
    int port = server.getPort();
    server.shutdownNow().awaitTermination();
    assertTrue(network.open().isEmpty());
    server = listen(port);
    now.addAndGet(NetworkChannel.PAUSE.toNanos() - 1);
    assertTrue(network.open().isEmpty());
    assertEquals(1, dials.get());
    now.addAndGet(1);
    assertEquals(ConnectivityState.READY, network.open().orElseThrow().getState(false));
  }

  @Test
  void aGuestThatHasBootedAnewIsDialledAtOnce() throws Exception {
    int port = server.getPort();
    server.shutdownNow().awaitTermination();
    assertTrue(network.open().isEmpty());
    server = listen(port);
    target = Optional.of(new Target(address(), "second boot"));
    assertTrue(network.open().isPresent());
  }

  @Test
  void aSessionWithAnEarlierBootIsEnded() {
    ManagedChannel before = network.open().orElseThrow();
    target = Optional.of(new Target(address(), "second boot"));
    assertNotSame(before, network.open().orElseThrow());
    assertTrue(before.isShutdown());
  }

  @Test
  void aSessionThatBrokeIsDialledAgainAndFailsOver() throws Exception {
    ManagedChannel before = network.open().orElseThrow();
    server.shutdownNow().awaitTermination();
    await().until(() -> before.getState(false) != ConnectivityState.READY);
    assertTrue(network.open().isEmpty());
    assertTrue(before.isShutdown());
  }

  @Test
  void nothingIsDialledOnceItIsClosed() {
    ManagedChannel before = network.open().orElseThrow();
    network.close();
    assertTrue(network.open().isEmpty());
    assertTrue(before.isShutdown());
  }
}
