package dev.berth.provider.kube.http;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** One connection, for one request at a time; only {@link #close} may be called by others. */
final class Connection {
  private final Endpoint endpoint;
  private final @Nullable SSLContext context;
  private @Nullable Stream stream;
  private long idleSince = System.nanoTime();

  /** Guarded by this. */
  private @Nullable Socket socket;

  /** Guarded by this. */
  private boolean closed;

  private record Stream(OutputStream out, ResponseReader in) {}

  Connection(Endpoint endpoint) {
    this.endpoint = endpoint;
    this.context = endpoint.tls().map(tls -> tls.context().get()).orElse(null);
  }

  /** Sends the request, after connecting if this is the first one, and reads all of the answer. */
  Response exchange(Request request) throws IOException {
    Response response = send(request).read();
    idleSince = System.nanoTime();
    return response;
  }

  /** Sends the request and returns where its answer is to be read. */
  ResponseReader send(Request request) throws IOException {
    Stream present = stream;
    if (present == null) {
      present = open();
      stream = present;
    }
    present.in().expect();
    present.out().write(request.encoded(endpoint.authority()));
    return present.in();
  }

  private Stream open() throws IOException {
    endpoint.connect(this::keep);
    Socket plain = kept();
    Socket used =
        context == null ? plain : endpoint.encrypt(context, endpoint.tls().orElseThrow(), plain);
    return new Stream(used.getOutputStream(), new ResponseReader(used.getInputStream()));
  }

  private synchronized void keep(Socket next) throws IOException {
    if (closed) {
      throw new SocketException("closed");
    }
    socket = next;
  }

  private synchronized Socket kept() throws IOException {
    if (closed || socket == null) {
      throw new SocketException("closed");
    }
    return socket;
  }

  /** Whether the server said something since the last request was sent. */
  boolean answering() {
    return stream != null && stream.in().begun();
  }

  /** Whether another request may be sent. */
  boolean reusable() {
    return stream != null && stream.in().reusable() && !isClosed();
  }

  /** Whether it has been idle for at most so long, and its credentials are the present ones. */
  boolean fresh(long idleNanos) {
    return System.nanoTime() - idleSince <= idleNanos
        && Objects.equals(context, endpoint.tls().map(tls -> tls.context().get()).orElse(null));
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  /**
   * Also ends whatever is under way, a handshake included: what is closed is the socket below, for
   * which nobody holds a lock. Never blocks. Idempotent.
   */
  synchronized void close() {
    closed = true;
    if (socket != null) {
      try {
        socket.close();
      } catch (IOException gone) {
        // It is not used any more either way.
      }
    }
  }
}
