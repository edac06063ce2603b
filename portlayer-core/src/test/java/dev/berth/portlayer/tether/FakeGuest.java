package dev.berth.portlayer.tether;

import dev.berth.tether.v1.DescribeRequest;
import dev.berth.tether.v1.Phase;
import dev.berth.tether.v1.State;
import dev.berth.tether.v1.TetherGrpc;
import io.grpc.Server;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.buffer.Unpooled;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A tether behind a serial port that dials: the link as the tether speaks it, with a real server.
 */
final class FakeGuest implements AutoCloseable {
  private final String id;
  private final Server server;
  private final CountDownLatch asked = new CountDownLatch(1);
  private final LinkScanner scanner = new LinkScanner();
  private @Nullable Socket line;
  private @Nullable Socket session;

  FakeGuest(VchAuthority authority, String id, int attempt) throws IOException {
    this.id = id;
    VchAuthority.Identity identity = authority.issue(id);
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .sslContext(
                GrpcSslContexts.configure(
                        SslContextBuilder.forServer(
                            stream(identity.certificate()), stream(identity.key())))
                    .trustManager(stream(identity.authority()))
                    .clientAuth(ClientAuth.REQUIRE)
                    .build())
            .addService(
                new TetherGrpc.TetherImplBase() {
                  @Override
                  public void describe(DescribeRequest request, StreamObserver<State> answer) {
                    answer.onNext(
                        State.newBuilder()
                            .setBootId(id)
                            .setAttempt(attempt)
                            .setPhase(Phase.RUNNING)
                            .build());
                    answer.onCompleted();
                  }
                })
            .build()
            .start();
  }

  private static InputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
  }

  /** Connects; what was connected before stays open, as a line whose guest has left it. */
  void dial(InetSocketAddress address) throws IOException {
    Socket socket = new Socket(address.getAddress(), address.getPort());
    line = socket;
    Thread.ofVirtual().start(() -> serve(socket));
  }

  /** Waits until the endpoint has heard the name on some line. */
  void awaitAsked() {
    try {
      if (!asked.await(10, TimeUnit.SECONDS)) {
        throw new AssertionError("the endpoint did not ask for the name within 10 s");
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  void hangUp() throws IOException {
    if (line != null) {
      line.close();
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      OutputStream out = socket.getOutputStream();
      out.write("noise of a boot, BERTH-LINK".getBytes(StandardCharsets.US_ASCII));
      byte[] buffer = new byte[8192];
      int n = socket.getInputStream().read(buffer);
      while (n >= 0) {
        receive(Arrays.copyOf(buffer, n), out);
        n = socket.getInputStream().read(buffer);
      }
    } catch (IOException e) {
      // The other side has gone.
    }
  }

  private void receive(byte[] bytes, OutputStream out) throws IOException {
    if (session != null && LinkFrame.parse(bytes, 0).isEmpty()) {
      session.getOutputStream().write(bytes);
      return;
    }
    scanner.add(Unpooled.wrappedBuffer(bytes));
    List<LinkFrame> frames = new ArrayList<>();
    scanner.scan(frames::add);
    for (LinkFrame frame : frames) {
      answer(frame, out);
    }
  }

  private void answer(LinkFrame frame, OutputStream out) throws IOException {
    switch (frame.type()) {
      case WHO -> {
        send(out, LinkFrame.Type.NAME, LinkFrame.Nonce.nameOf(id));
        asked.countDown();
      }
      case HELLO -> {
        if (session != null) {
          session.close();
        }
        session = null;
        send(out, LinkFrame.Type.ACK, frame.nonce());
      }
      case START -> {
        send(out, LinkFrame.Type.READY, frame.nonce());
        Socket begun = new Socket(InetAddress.getLoopbackAddress(), server.getPort());
        session = begun;
        Thread.ofVirtual().start(() -> copy(begun, out));
      }
      case ACK, READY, NAME -> throw new IOException("a host does not say " + frame.type());
    }
  }

  private static void copy(Socket from, OutputStream to) {
    try {
      from.getInputStream().transferTo(to);
    } catch (IOException e) {
      // The session has ended.
    }
  }

  private static void send(OutputStream out, LinkFrame.Type type, LinkFrame.Nonce nonce)
      throws IOException {
    out.write(new LinkFrame(type, nonce).bytes());
  }

  @Override
  public void close() throws IOException {
    hangUp();
    server.shutdownNow();
  }
}
