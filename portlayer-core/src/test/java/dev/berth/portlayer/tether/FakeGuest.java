package dev.berth.portlayer.tether;

import dev.berth.tether.v1.DescribeRequest;
import dev.berth.tether.v1.ExecRequest;
import dev.berth.tether.v1.ExecResponse;
import dev.berth.tether.v1.Exit;
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
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A tether behind a serial port that dials: the link as the tether speaks it, with a real server.
 */
final class FakeGuest implements AutoCloseable {
  /** How long a piece may wait for the rest of a frame, as in the tether. */
  private static final int LATE_MILLIS = 200;

  private final String id;
  private final Server server;
  private final CountDownLatch asked = new CountDownLatch(1);
  private final Object lock = new Object();

  private @Nullable Socket line;
  private @Nullable Session session;

  /** The guest's part of a resumable session, and the connection to the server behind it. */
  private static final class Session {
    private final LinkFrame.Nonce nonce;
    private final Socket server;
    private final SentHistory sent = new SentHistory();
    private long received;
    private long confirmed;
    private boolean lost;

    private Session(LinkFrame.Nonce nonce, Socket server) {
      this.nonce = nonce;
      this.server = server;
    }
  }

  /**
   * @param authority whose clients it takes
   * @param identity its own, of whatever authority
   */
  FakeGuest(VchAuthority authority, VchAuthority.Identity identity, String id, int attempt)
      throws IOException {
    this.id = id;
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .sslContext(
                GrpcSslContexts.configure(
                        SslContextBuilder.forServer(
                            stream(identity.certificate()), stream(identity.key())))
                    .trustManager(authority.certificate())
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

                  @Override
                  public StreamObserver<ExecRequest> exec(StreamObserver<ExecResponse> answer) {
                    return new Echo(answer);
                  }
                })
            .build()
            .start();
  }

  private static InputStream stream(String text) {
    return new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
  }

  /** Gives the input back as output. */
  private record Echo(StreamObserver<ExecResponse> answer) implements StreamObserver<ExecRequest> {
    @Override
    public void onNext(ExecRequest request) {
      switch (request.getKindCase()) {
        case STDIN ->
            answer.onNext(ExecResponse.newBuilder().setStdout(request.getStdin()).build());
        case STDIN_CLOSED -> {
          answer.onNext(ExecResponse.newBuilder().setExit(Exit.getDefaultInstance()).build());
          answer.onCompleted();
        }
        case BEGIN, RESIZE, KIND_NOT_SET -> {}
      }
    }

    @Override
    public void onError(Throwable cause) {
      // The client has gone.
    }

    @Override
    public void onCompleted() {
      // The client says no more.
    }
  }

  /** Where it also listens as at a control interface. */
  InetSocketAddress address() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort());
  }

  /** Connects; the guest answers here from now on, and on no older line. */
  void dial(InetSocketAddress address) throws IOException {
    Socket socket = new Socket(address.getAddress(), address.getPort());
    synchronized (lock) {
      line = socket;
    }
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

  /** Cuts the line; what is under way in it is lost. */
  void hangUp() throws IOException {
    synchronized (lock) {
      if (line != null && !line.isClosed()) {
        line.setSoLinger(true, 0);
        line.close();
      }
    }
  }

  private void serve(Socket socket) {
    try (socket) {
      socket.getOutputStream().write("noise, BERTH-LINK".getBytes(StandardCharsets.US_ASCII));
      LinkScanner scanner = new LinkScanner();
      byte[] buffer = new byte[8192];
      int n = socket.getInputStream().read(buffer);
      while (n >= 0) {
        scanner.add(Unpooled.copiedBuffer(buffer, 0, n));
        receive(socket, scanner);
        socket.setSoTimeout(scanner.isHolding() ? LATE_MILLIS : 0);
        n = readOn(socket, scanner, buffer);
      }
    } catch (IOException e) {
      // The other side has gone.
    }
  }

  /** Like the tether, takes what only began like a frame for payload when no more of it comes. */
  private int readOn(Socket socket, LinkScanner scanner, byte[] buffer) throws IOException {
    try {
      return socket.getInputStream().read(buffer);
    } catch (SocketTimeoutException e) {
      receive(socket, new LinkScanner.Piece(null, scanner.rest()));
      socket.setSoTimeout(0);
      return socket.getInputStream().read(buffer);
    }
  }

  private void receive(Socket socket, LinkScanner scanner) throws IOException {
    Optional<LinkScanner.Piece> piece = scanner.next();
    while (piece.isPresent()) {
      receive(socket, piece.get());
      piece = scanner.next();
    }
  }

  private void receive(Socket socket, LinkScanner.Piece piece) throws IOException {
    synchronized (lock) {
      if (!socket.equals(line)) {
        return;
      }
      LinkFrame frame = piece.frame();
      if (frame != null) {
        answer(frame);
      } else if (session != null && !session.lost) {
        session.received += piece.payload().size();
        piece.payload().writeTo(session.server.getOutputStream());
        confirm(session);
      }
    }
  }

  private void confirm(Session open) throws IOException {
    if (open.received - open.confirmed >= 32 * 1024) {
      open.confirmed = open.received;
      send(LinkFrame.Type.RECEIVED, LinkFrame.position(open.nonce, open.received));
    }
  }

  private void answer(LinkFrame frame) throws IOException {
    switch (frame.type()) {
      case WHO -> {
        if (session != null) {
          session.lost = true;
        }
        send(LinkFrame.Type.NAME, LinkFrame.Nonce.nameOf(id));
        asked.countDown();
      }
      case HELLO -> {
        if (session != null) {
          session.server.close();
        }
        session = null;
        send(LinkFrame.Type.ACK, frame.nonce());
      }
      case BEGIN -> {
        send(LinkFrame.Type.READY, frame.nonce());
        Session begun =
            new Session(
                frame.nonce(), new Socket(InetAddress.getLoopbackAddress(), server.getPort()));
        session = begun;
        Thread.ofVirtual().start(() -> copy(begun));
      }
      case RECEIVED -> {
        if (session != null) {
          session.sent.confirm(frame.received(session.nonce).orElseThrow());
        }
      }
      case RESUME -> resume(frame);
      case ACK, READY, NAME, START, GONE ->
          throw new IOException("the endpoint does not say " + frame.type());
    }
  }

  private void resume(LinkFrame frame) throws IOException {
    OptionalLong received = session == null ? OptionalLong.empty() : frame.received(session.nonce);
    if (session == null || received.isEmpty()) {
      send(LinkFrame.Type.GONE, frame.nonce());
      return;
    }
    session.sent.confirm(received.getAsLong());
    session.lost = false;
    send(LinkFrame.Type.RESUME, LinkFrame.position(session.nonce, session.received));
    write(session.sent.kept());
  }

  private void copy(Session from) {
    byte[] buffer = new byte[4096];
    try {
      int n = from.server.getInputStream().read(buffer);
      while (n >= 0) {
        synchronized (lock) {
          if (from.equals(session)) {
            byte[] bytes = Arrays.copyOf(buffer, n);
            from.sent.add(bytes);
            write(bytes);
          }
        }
        n = from.server.getInputStream().read(buffer);
      }
    } catch (IOException e) {
      // The session has ended.
    }
  }

  private void send(LinkFrame.Type type, LinkFrame.Nonce nonce) {
    write(new LinkFrame(type, nonce).bytes());
  }

  /** As a serial port does: without a peer, what is written is nowhere. */
  private void write(byte[] bytes) {
    try {
      if (line != null) {
        line.getOutputStream().write(bytes);
      }
    } catch (IOException e) {
      // Sent again when the session is resumed.
    }
  }

  @Override
  public void close() throws IOException {
    hangUp();
    server.shutdownNow();
  }
}
