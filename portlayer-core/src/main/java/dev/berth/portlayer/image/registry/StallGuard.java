package dev.berth.portlayer.image.registry;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A stream that fails instead of waiting for ever when the other side goes silent. */
final class StallGuard extends FilterInputStream {
  private final long patience;
  private final ScheduledFuture<?> watch;
  private volatile long waitingSince = -1;
  private volatile boolean stalled;

  StallGuard(InputStream input, Duration patience, ScheduledExecutorService timer) {
    super(input);
    this.patience = patience.toNanos();
    long period = Math.max(1, this.patience / 4);
    this.watch = timer.scheduleWithFixedDelay(this::check, period, period, TimeUnit.NANOSECONDS);
  }

  private void check() {
    long since = waitingSince;
    if (since >= 0 && elapsed() - since > patience) {
      stalled = true;
      try {
        in.close();
      } catch (IOException e) {
        // Closing is how the reader is woken; it reports the stall.
      }
    }
  }

  /** Nanoseconds on a clock that is never negative. */
  private static long elapsed() {
    return System.nanoTime() & Long.MAX_VALUE;
  }

  @Override
  public int read() throws IOException {
    byte[] single = new byte[1];
    return read(single, 0, 1) < 0 ? -1 : single[0] & 0xff;
  }

  @Override
  public int read(byte[] target, int offset, int length) throws IOException {
    waitingSince = elapsed();
    try {
      int count = in.read(target, offset, length);
      if (stalled) {
        throw new IOException(
            "no data arrived for " + Duration.ofNanos(patience).toSeconds() + " s");
      }
      return count;
    } catch (IOException e) {
      if (stalled) {
        throw new IOException(
            "no data arrived for " + Duration.ofNanos(patience).toSeconds() + " s", e);
      }
      throw e;
    } finally {
      waitingSince = -1;
    }
  }

  @Override
  public void close() throws IOException {
    watch.cancel(false);
    super.close();
  }
}
