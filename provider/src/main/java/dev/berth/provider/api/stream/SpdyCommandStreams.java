package dev.berth.provider.api.stream;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The streams of a command over SPDY, once the client has opened all of them. */
public final class SpdyCommandStreams implements CommandStreams {
  private static final String TYPE = "streamType";

  /** Collects the streams that a client opens one after another. */
  public static final class Collector {
    private final Set<String> awaited = new HashSet<>();
    private final Map<String, SpdyStream> opened = new HashMap<>();

    /**
     * @param protocol 1 to 4, the version that was negotiated
     */
    public Collector(CommandOptions options, int protocol) {
      awaited.add("error");
      addIf(options.stdin(), "stdin");
      addIf(options.stdout(), "stdout");
      addIf(options.stderr(), "stderr");
      addIf(options.terminal() && protocol >= 3, "resize");
    }

    private void addIf(boolean wanted, String type) {
      if (wanted) {
        awaited.add(type);
      }
    }

    /** Takes a new stream, or refuses one that was not asked for. */
    public synchronized boolean accept(SpdyStream stream) {
      String type = stream.header(TYPE).orElse("");
      if (!awaited.remove(type)) {
        return false;
      }
      opened.put(type, stream);
      notifyAll();
      return true;
    }

    /** Waits until all are there; false when they did not come in time. */
    public synchronized boolean await(SpdyConnection connection, Duration timeout)
        throws InterruptedException {
      long deadline = System.nanoTime() + timeout.toNanos();
      connection.onClose(this::wake);
      while (!awaited.isEmpty()) {
        long left = deadline - System.nanoTime();
        if (left <= 0 || !connection.isOpen()) {
          return false;
        }
        wait(Math.max(1, left / 1_000_000));
      }
      return true;
    }

    private synchronized void wake() {
      notifyAll();
    }

    /** Of the streams that were opened. */
    public synchronized CommandStreams streams(SpdyConnection connection, int protocol) {
      return new SpdyCommandStreams(connection, Map.copyOf(opened), protocol);
    }
  }

  private final SpdyConnection connection;
  private final Map<String, SpdyStream> streams;
  private final int protocol;

  private SpdyCommandStreams(
      SpdyConnection connection, Map<String, SpdyStream> streams, int protocol) {
    this.connection = connection;
    this.streams = streams;
    this.protocol = protocol;
  }

  @Override
  public InputStream stdin() {
    return input("stdin");
  }

  @Override
  public OutputStream stdout() {
    return output("stdout");
  }

  @Override
  public OutputStream stderr() {
    return output("stderr");
  }

  @Override
  public InputStream resize() {
    return input("resize");
  }

  private InputStream input(String type) {
    SpdyStream stream = streams.get(type);
    return stream == null ? InputStream.nullInputStream() : stream.input();
  }

  private OutputStream output(String type) {
    SpdyStream stream = streams.get(type);
    return stream == null ? OutputStream.nullOutputStream() : stream.output();
  }

  @Override
  public void onClose(Runnable action) {
    connection.onClose(action);
  }

  @Override
  public boolean isOpen() {
    return connection.isOpen();
  }

  @Override
  public void finish(CommandStatus status) throws IOException {
    for (SpdyStream stream : streams.values()) {
      stream.input().close();
    }
    OutputStream error = output("error");
    error.write(protocol >= 4 ? status.toJson() : status.toText());
    for (SpdyStream stream : inOrderOfEnd()) {
      stream.output().close();
    }
    connection.finish();
  }

  private List<SpdyStream> inOrderOfEnd() {
    var result = new ArrayList<SpdyStream>();
    for (String type : List.of("stdout", "stderr", "error", "stdin", "resize")) {
      @Nullable SpdyStream stream = streams.get(type);
      if (stream != null) {
        result.add(stream);
      }
    }
    return result;
  }

  @Override
  public void close() {
    connection.close();
  }
}
