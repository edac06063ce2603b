package dev.berth.portlayer.tether;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.time.Duration;
import java.util.OptionalLong;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * This process's end of a session over serial ports. The client does the handshake; from READY on
 * this keeps what it sent until the guest has told that it came, so that the session goes on over
 * another connection when one is lost: neither client nor guest notices but by the time it takes.
 */
final class SerialSession extends ChannelInboundHandlerAdapter {
  /** How long a beginning of the magic is held back. */
  static final Duration RELEASE_AFTER = Duration.ofMillis(200);

  /** As large as the guest's. */
  private static final int WINDOW = 128 * 1024;

  private static final int CONFIRM_EVERY = WINDOW / 4;

  /** A migration's switch, and the hypervisor's time to dial again. */
  private static final Duration WITHOUT_PORT = Duration.ofSeconds(60);

  private static final Duration RESUMPTION = Duration.ofSeconds(10);

  private final SerialLines lines;
  private final SentHistory sent = new SentHistory();
  private @Nullable ChannelHandlerContext client;
  private LinkFrame.@Nullable Nonce name;
  private @Nullable SerialPort port;

  /** The session's nonce once the client has sent BEGIN. */
  private LinkFrame.@Nullable Nonce nonce;

  private State state = State.HANDSHAKE;
  private long received;
  private long confirmed;
  private @Nullable Future<?> patience;

  private enum State {
    /** What either side says is for the other as it is. */
    HANDSHAKE,
    OPEN,
    /** Waits for a connection, or for the guest's answer on a new one. */
    INTERRUPTED
  }

  SerialSession(SerialLines lines) {
    this.lines = lines;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (message instanceof LinkFrame.Nonce wanted) {
      client = context;
      name = wanted;
      lines.addSession(wanted, this);
    } else {
      fromClient((ByteBuf) message);
    }
  }

  private void fromClient(ByteBuf message) {
    byte[] bytes = ByteBufUtil.getBytes(message);
    message.release();
    LinkFrame.parse(bytes, 0).ifPresent(this::handshakeOfClient);
    if (state != State.HANDSHAKE) {
      sent.add(bytes);
    }
    if (state != State.INTERRUPTED && port != null) {
      port.send(bytes);
    }
    readClientWhileThereIsRoom();
  }

  /** A client that lost patience with the guest begins anew, maybe while READY was under way. */
  private void handshakeOfClient(LinkFrame frame) {
    nonce = frame.type() == LinkFrame.Type.BEGIN ? frame.nonce() : null;
    state = State.HANDSHAKE;
  }

  /** What came over the connection that carries this session. */
  void fromPort(SerialPort from, LinkScanner.Piece piece) {
    if (!from.equals(port) || client == null) {
      return;
    }
    LinkFrame frame = piece.frame();
    switch (state) {
      case HANDSHAKE -> handshake(piece);
      case OPEN -> {
        if (frame == null) {
          received += piece.payload().size();
          toClient(piece.payload());
          confirm();
        } else if (frame.type() == LinkFrame.Type.RECEIVED) {
          var _ = forget(frame);
        }
      }
      case INTERRUPTED -> {
        if (piece.is(LinkFrame.Type.RESUME) && forget(frame)) {
          state = State.OPEN;
          stopWaiting();
          from.send(sent.kept());
        } else if (piece.is(LinkFrame.Type.GONE)) {
          end();
        }
      }
    }
  }

  private void handshake(LinkScanner.Piece piece) {
    if (piece.frame() == null) {
      toClient(piece.payload());
      return;
    }
    if (piece.is(LinkFrame.Type.READY) && piece.frame().nonce().equals(nonce)) {
      state = State.OPEN;
    }
    // Last: the client begins to speak within this call.
    toClient(ByteString.copyFrom(piece.frame().bytes()));
  }

  /** Whether the session goes over this connection. */
  boolean uses(SerialPort other) {
    return other.equals(port);
  }

  /** The session goes over this connection from now on; null: there is none. */
  void use(@Nullable SerialPort next) {
    if (port != null) {
      port.carry(null);
    }
    port = next;
    if (next != null) {
      next.carry(this);
    }
    if (state == State.HANDSHAKE) {
      // The client repeats its HELLO until a guest answers, but has no patience with two.
      if (nonce != null) {
        end();
      }
      return;
    }
    state = State.INTERRUPTED;
    stopWaiting();
    if (next == null) {
      patience = lines.schedule(this::end, WITHOUT_PORT);
    } else if (nonce != null) {
      next.send(LinkFrame.Type.RESUME, LinkFrame.position(nonce, received));
      confirmed = received;
      // The guest has gone from there, or never was; there may be another connection.
      patience = lines.schedule(next::close, RESUMPTION);
    }
  }

  /** Ends the session; the client begins another when it needs one. */
  void end() {
    if (client != null) {
      var _ = client.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    stopWaiting();
    if (name == null) {
      return;
    }
    lines.removeSession(name, this);
    if (port == null) {
      return;
    }
    port.carry(null);
    switch (state) {
      case HANDSHAKE -> port.close();
      case OPEN -> lines.rotate(name, port);
      case INTERRUPTED -> {}
    }
    port = null;
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext context) {
    if (port != null) {
      port.setReading(context.channel().isWritable());
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    end();
  }

  private void toClient(ByteString bytes) {
    if (client != null) {
      var _ = client.writeAndFlush(Unpooled.wrappedBuffer(bytes.asReadOnlyByteBuffer()));
    }
  }

  private void confirm() {
    if (received - confirmed >= CONFIRM_EVERY && port != null && nonce != null) {
      confirmed = received;
      port.send(LinkFrame.Type.RECEIVED, LinkFrame.position(nonce, received));
    }
  }

  /** Forgets what the guest says it has; false when it does not speak of this session. */
  private boolean forget(@Nullable LinkFrame frame) {
    OptionalLong count =
        frame == null || nonce == null ? OptionalLong.empty() : frame.received(nonce);
    if (count.isEmpty()) {
      return false;
    }
    if (!sent.confirm(count.getAsLong())) {
      end();
      return false;
    }
    readClientWhileThereIsRoom();
    return true;
  }

  private void readClientWhileThereIsRoom() {
    if (client != null) {
      client.channel().config().setAutoRead(sent.length() < WINDOW);
    }
  }

  private void stopWaiting() {
    if (patience != null) {
      patience.cancel(false);
      patience = null;
    }
  }
}
