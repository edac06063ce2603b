package dev.berth.provider.api.stream;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** What a peer sent on one stream: filled by the event loop, read by one blocking thread. */
final class InboundStream extends InputStream {
  /** Counted for each part besides its bytes, so that tiny parts do not escape the budget. */
  private static final int PART_OVERHEAD = 256;

  private final ReadBudget budget;
  private final Deque<ByteBuf> parts = new ArrayDeque<>();
  private boolean ended;
  private boolean abandoned;
  private @Nullable IOException failure;

  InboundStream(ReadBudget budget) {
    this.budget = budget;
  }

  /** Takes the ownership of the data. */
  synchronized void offer(ByteBuf data) {
    if (!data.isReadable() || ended || abandoned || failure != null) {
      data.release();
      return;
    }
    budget.add(data.readableBytes() + PART_OVERHEAD);
    parts.add(data);
    notifyAll();
  }

  /** What was offered can still be read, then the stream ends. */
  synchronized void end() {
    ended = true;
    notifyAll();
  }

  /** What was not read yet is lost, unless the stream had ended. */
  synchronized void fail(IOException cause) {
    if (ended) {
      return;
    }
    failure = cause;
    discard();
    notifyAll();
  }

  synchronized boolean isEnded() {
    return ended || failure != null;
  }

  @Override
  public int read() throws IOException {
    byte[] single = new byte[1];
    return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
  }

  @Override
  public synchronized int read(byte[] target, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    while (parts.isEmpty()) {
      if (failure != null) {
        throw new IOException(failure.getMessage(), failure);
      }
      if (ended || abandoned) {
        return -1;
      }
      try {
        wait();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new InterruptedIOException("interrupted while reading from a stream");
      }
    }
    ByteBuf first = parts.element();
    int count = Math.min(length, first.readableBytes());
    first.readBytes(target, offset, count);
    budget.remove(count);
    if (!first.isReadable()) {
      parts.remove().release();
      budget.remove(PART_OVERHEAD);
    }
    return count;
  }

  /** Whatever comes is thrown away from now on. */
  @Override
  public synchronized void close() {
    abandoned = true;
    discard();
    notifyAll();
  }

  private void discard() {
    for (ByteBuf part : parts) {
      budget.remove(part.readableBytes() + PART_OVERHEAD);
      part.release();
    }
    parts.clear();
  }
}
