package dev.berth.portlayer.tether;

import com.google.protobuf.ByteString;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.ProcessSession;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A session over one bidirectional call. Back-pressure goes all the way: a message is asked for
 * only when one was read, and a write waits until the call takes more.
 */
final class GrpcSession<RequestT, ResponseT> implements ProcessSession {
  /** Messages that may be unread; with 64 KiB at most in each, a quarter of a mebibyte. */
  private static final int UNREAD_MESSAGES = 4;

  private static final int LARGEST_MESSAGE = 64 * 1024;

  private final String id;
  private final SessionProtocol<RequestT, ResponseT> protocol;
  private final ClientCall<RequestT, ResponseT> call;
  private final OutputPipe stdout;
  private final OutputPipe stderr;
  private final Input stdin = new Input();
  private final Object lock = new Object();
  private boolean begun;
  private @Nullable Exit exit;
  private @Nullable Status status;

  private GrpcSession(
      String id,
      SessionProtocol<RequestT, ResponseT> protocol,
      ClientCall<RequestT, ResponseT> call) {
    this.id = id;
    this.protocol = protocol;
    this.call = call;
    this.stdout = new OutputPipe(() -> call.request(1));
    this.stderr = new OutputPipe(() -> call.request(1));
  }

  static <RequestT, ResponseT> GrpcSession<RequestT, ResponseT> open(
      Channel channel,
      MethodDescriptor<RequestT, ResponseT> method,
      SessionProtocol<RequestT, ResponseT> protocol,
      String id) {
    ClientCall<RequestT, ResponseT> call = channel.newCall(method, CallOptions.DEFAULT);
    GrpcSession<RequestT, ResponseT> session = new GrpcSession<>(id, protocol, call);
    call.start(session.new Listener(), new Metadata());
    call.request(UNREAD_MESSAGES);
    call.sendMessage(protocol.begin());
    return session;
  }

  /** Waits until the other side has said that it began. */
  void awaitBegun(Duration timeout) {
    synchronized (lock) {
      if (!await(timeout, () -> begun || status != null) || !begun) {
        close();
        throw failure("did not begin");
      }
    }
  }

  @Override
  public OutputStream stdin() {
    return stdin;
  }

  @Override
  public InputStream stdout() {
    return stdout;
  }

  @Override
  public InputStream stderr() {
    return stderr;
  }

  @Override
  public void resize(ExecSpec.TerminalSize size) {
    protocol
        .resize(size)
        .ifPresent(
            message -> {
              synchronized (lock) {
                if (status == null) {
                  call.sendMessage(message);
                }
              }
            });
  }

  @Override
  public Optional<Exit> awaitExit(Duration timeout) {
    synchronized (lock) {
      if (!await(timeout, () -> exit != null || status != null)) {
        return Optional.empty();
      }
      if (exit != null) {
        return Optional.of(exit);
      }
      if (status != null && status.isOk()) {
        return Optional.of(new Exit(0, ""));
      }
      throw failure("ended without an exit");
    }
  }

  @Override
  public void close() {
    call.cancel("the session was closed", null);
    stdout.close();
    stderr.close();
  }

  private PortLayerException failure(String what) {
    Status ended = status;
    if (ended == null || ended.isOk()) {
      return new PortLayerException(
          Code.UNAVAILABLE, "containerVM %s: the session %s".formatted(id, what));
    }
    return TetherErrors.of(id, ended, ended.asException());
  }

  /** Call with the lock held; returns whether the condition came true in time. */
  private boolean await(Duration timeout, java.util.function.BooleanSupplier condition) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!condition.getAsBoolean()) {
      long left = deadline - System.nanoTime();
      if (left <= 0) {
        return false;
      }
      try {
        lock.wait(left / 1_000_000, (int) (left % 1_000_000));
      } catch (InterruptedException e) {
        throw PortLayerException.interrupted("waiting for containerVM " + id, e);
      }
    }
    return true;
  }

  /** What comes from the tether. */
  private final class Listener extends ClientCall.Listener<ResponseT>
      implements SessionProtocol.Sink {
    @Override
    public void onMessage(ResponseT message) {
      protocol.receive(message, this);
    }

    @Override
    public void onReady() {
      synchronized (lock) {
        lock.notifyAll();
      }
    }

    @Override
    public void onClose(Status ended, Metadata trailers) {
      boolean clean;
      synchronized (lock) {
        status = ended;
        clean = ended.isOk() || exit != null;
        lock.notifyAll();
      }
      IOException reason =
          clean ? null : new IOException("the session broke: " + ended.getDescription());
      stdout.end(reason);
      stderr.end(reason);
    }

    @Override
    public void begun() {
      synchronized (lock) {
        begun = true;
        lock.notifyAll();
      }
      call.request(1);
    }

    @Override
    public void stdout(ByteString bytes) {
      stdout.add(bytes);
    }

    @Override
    public void stderr(ByteString bytes) {
      stderr.add(bytes);
    }

    @Override
    public void exit(int code, String message) {
      synchronized (lock) {
        exit = new Exit(code, message);
        lock.notifyAll();
      }
      stdout.end(null);
      stderr.end(null);
      call.request(1);
    }
  }

  /** What goes to the process. */
  private final class Input extends OutputStream {
    private boolean closed;

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (!protocol.hasInput()) {
        throw new IOException("the process was begun without input");
      }
      for (int done = 0; done < length; ) {
        int part = Math.min(LARGEST_MESSAGE, length - done);
        send(protocol.input(ByteString.copyFrom(bytes, offset + done, part)));
        done += part;
      }
    }

    private void send(RequestT message) throws IOException {
      synchronized (lock) {
        while (!closed && exit == null && status == null && !call.isReady()) {
          try {
            lock.wait();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (InterruptedIOException)
                new InterruptedIOException("interrupted while writing input").initCause(e);
          }
        }
        if (closed || exit != null || status != null) {
          throw new IOException(closed ? "the input is closed" : "the process has ended");
        }
        call.sendMessage(message);
      }
    }

    @Override
    public void close() {
      synchronized (lock) {
        if (!closed && status == null && exit == null && protocol.hasInput()) {
          call.sendMessage(protocol.inputEnd());
        }
        closed = true;
        lock.notifyAll();
      }
    }
  }
}
