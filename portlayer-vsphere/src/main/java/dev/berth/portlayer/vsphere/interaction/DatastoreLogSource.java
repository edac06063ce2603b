package dev.berth.portlayer.vsphere.interaction;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.interaction.LogSource;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * A containerVM's log on the datastore, which the hypervisor writes: what its serial port sends. A
 * file that is not there yet is an empty log.
 *
 * <p>While vCenter is away, reading blocks, and goes on where it was when vCenter is back.
 */
public final class DatastoreLogSource implements LogSource {
  /** How long a reader who follows a log waits for a vCenter that is away. */
  public static final Duration FOLLOWING = Duration.ofMinutes(10);

  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final DatastoreFiles files;
  private final DatastorePath path;
  private final LogPolls polls;
  private final Duration patience;
  private final PolledFile file;
  private long woken;
  private boolean closed;

  /**
   * @param polls the VCH's
   * @param patience how long to wait for a vCenter that is away, beyond what the client does for
   *     each request, before a call fails with UNAVAILABLE: {@link #FOLLOWING}, or zero
   */
  public DatastoreLogSource(
      DatastoreFiles files, DatastorePath path, LogPolls polls, Duration patience) {
    this.files = files;
    this.path = path;
    this.polls = polls;
    this.patience = patience;
    file = polls.open(files, path);
    woken = file.wakes();
  }

  @Override
  public int read(long offset, ByteBuffer target) {
    return (int) patiently(() -> readOnce(offset, target));
  }

  /** Asks for what is there and no more: not every server knows what to say of bytes behind it. */
  private long readOnce(long offset, ByteBuffer target) {
    long known = file.known();
    long end = offset < known ? known : file.look();
    int length = (int) Math.min(target.remaining(), end - offset);
    if (length <= 0) {
      return 0;
    }
    try {
      byte[] bytes = files.read(path, offset, length);
      target.put(bytes);
      return bytes.length;
    } catch (PortLayerException e) {
      if (e.code() == Code.NOT_FOUND) {
        return 0; // It went with its VM.
      }
      throw e;
    }
  }

  @Override
  public long size() {
    return patiently(file::look);
  }

  @Override
  public boolean awaitGrowth(long size, Duration timeout) {
    try {
      boolean longer = file.awaitMore(size, woken, timeout);
      // What wakes it from here on comes before the reader asks whether the attempt is over.
      woken = file.wakes();
      return longer;
    } catch (PortLayerException e) {
      if (e.code() != Code.UNAVAILABLE) {
        throw e;
      }
      return false; // The reader looks for itself, and waits there.
    }
  }

  private long patiently(LongSupplier work) {
    long end = System.nanoTime() + patience.toNanos();
    while (true) {
      try {
        return work.getAsLong();
      } catch (PortLayerException e) {
        if (e.code() != Code.UNAVAILABLE || end - System.nanoTime() <= 0) {
          throw e;
        }
      }
      try {
        Thread.sleep(PAUSE);
      } catch (InterruptedException e) {
        throw PortLayerException.interrupted("waiting for vCenter to read " + path, e);
      }
    }
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      polls.release(path);
    }
  }
}
