package dev.berth.portlayer.tether;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/** One output of a session: messages go in whole and are reported back once they are read. */
final class OutputPipe extends InputStream {
  private final Runnable consumed;
  private final ArrayDeque<ByteString> messages = new ArrayDeque<>();
  private int position;
  private boolean ended;
  private boolean closed;
  private @Nullable IOException failure;

  /**
   * @param consumed called after each message that was read to its end
   */
  OutputPipe(Runnable consumed) {
    this.consumed = consumed;
  }

  void add(ByteString message) {
    synchronized (this) {
      if (!closed && !message.isEmpty()) {
        messages.add(message);
        notifyAll();
        return;
      }
    }
    consumed.run();
  }

  /** Nothing more comes; a failure is thrown after what is there was read. */
  synchronized void end(@Nullable IOException reason) {
    if (!ended) {
      ended = true;
      failure = reason;
      notifyAll();
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    int read;
    boolean finished;
    synchronized (this) {
      ByteString message = await();
      if (message == null) {
        return -1;
      }
      read = Math.min(length, message.size() - position);
      message.substring(position, position + read).copyTo(target, offset);
      position += read;
      finished = position == message.size();
      if (finished) {
        messages.remove();
        position = 0;
      }
    }
    if (finished) {
      consumed.run();
    }
    return read;
  }

  private @Nullable ByteString await() throws IOException {
    while (true) {
      if (closed) {
        throw new IOException("the stream is closed");
      }
      ByteString message = messages.peek();
      if (message != null) {
        return message;
      }
      if (ended) {
        if (failure != null) {
          throw new IOException(failure.getMessage(), failure);
        }
        return null;
      }
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw (InterruptedIOException)
            new InterruptedIOException("interrupted while reading output").initCause(e);
      }
    }
  }

  @Override
  public synchronized int available() {
    ByteString message = messages.peek();
    return message == null ? 0 : message.size() - position;
  }

  /** Drops what is there and whatever still comes. */
  @Override
  public void close() {
    int dropped;
    synchronized (this) {
      closed = true;
      dropped = messages.size();
      messages.clear();
      notifyAll();
    }
    for (int i = 0; i < dropped; i++) {
      consumed.run();
    }
  }
}
