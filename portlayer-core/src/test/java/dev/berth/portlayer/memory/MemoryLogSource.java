package dev.berth.portlayer.memory;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.interaction.LogSource;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;

/** A log in memory; any number of readers and one writer at a time. */
final class MemoryLogSource implements LogSource {
  private byte[] bytes = new byte[256];
  private int size;

  synchronized void append(byte[] more) {
    if (size + more.length > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(size + more.length, bytes.length * 2));
    }
    System.arraycopy(more, 0, bytes, size, more.length);
    size += more.length;
    notifyAll();
  }

  /** Wakes readers that wait, because an attempt may be over. */
  synchronized void wake() {
    notifyAll();
  }

  @Override
  public synchronized int read(long offset, ByteBuffer target) {
    int length = (int) Math.min(target.remaining(), Math.max(0, size - offset));
    target.put(bytes, (int) offset, length);
    return length;
  }

  @Override
  public synchronized long size() {
    return size;
  }

  @Override
  @SuppressWarnings({"WaitNotInLoop", "WaitNotifyUnconditional"}) // may return early by contract
  public synchronized boolean awaitGrowth(long known, Duration timeout) {
    if (size <= known) {
      try {
        wait(Math.max(1, timeout.toMillis()));
      } catch (InterruptedException e) {
        throw PortLayerException.interrupted("waiting for a log", e);
      }
    }
    return size > known;
  }
}
