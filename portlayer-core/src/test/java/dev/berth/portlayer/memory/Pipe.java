package dev.berth.portlayer.memory;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Output on its way from a process without a thread, which cannot wait, to a reader. What holds the
 * process back is its writer: {@link #awaitRoom}.
 */
final class Pipe extends InputStream {
  private static final int ROOM = 1024 * 1024;

  private final Deque<byte[]> chunks = new ArrayDeque<>();
  private int position;
  private int pending;
  private boolean finished;
  private @Nullable String failure;

  synchronized void write(byte[] bytes) {
    if (!finished && bytes.length > 0) {
      chunks.addLast(bytes);
      pending += bytes.length;
      notifyAll();
    }
  }

  synchronized void finish() {
    finished = true;
    notifyAll();
  }

  synchronized void fail(String reason) {
    if (!finished) {
      finished = true;
      failure = reason;
      notifyAll();
    }
  }

  synchronized void awaitRoom() throws IOException {
    while (pending >= ROOM && !finished) {
      await();
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public synchronized int read(byte[] target, int offset, int length) throws IOException {
    while (chunks.isEmpty() && length > 0) {
      if (failure != null) {
        throw new IOException(failure);
      }
      if (finished) {
        return -1;
      }
      await();
    }
    if (length == 0) {
      return 0;
    }
    byte[] chunk = chunks.getFirst();
    int count = Math.min(length, chunk.length - position);
    System.arraycopy(chunk, position, target, offset, count);
    position += count;
    pending -= count;
    if (position == chunk.length) {
      chunks.removeFirst();
      position = 0;
    }
    notifyAll();
    return count;
  }

  @Override
  public synchronized int available() {
    return pending;
  }

  @SuppressWarnings("WaitNotInLoop") // both callers loop
  private void await() throws IOException {
    try {
      wait();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    }
  }
}
