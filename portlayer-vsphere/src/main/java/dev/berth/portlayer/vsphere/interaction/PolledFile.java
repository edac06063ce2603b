package dev.berth.portlayer.vsphere.interaction;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A file that only grows, and how long it is known to be. Of those who wait for it to grow one
 * asks, for all. Safe for use by many threads.
 */
final class PolledFile {
  /** Between two looks at a file that grows. */
  private static final long SHORTEST = Duration.ofMillis(200).toNanos();

  /** Between two looks at a file that has not grown for long. */
  private static final long LONGEST = Duration.ofSeconds(2).toNanos();

  private final DatastoreFiles files;
  private final DatastorePath path;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition news = lock.newCondition();

  /** At least so many bytes are there. */
  private long size;

  /** When the last look began. */
  private long looked = System.nanoTime() - LONGEST;

  private long pause = SHORTEST;
  private boolean polling;
  private long wakes;

  PolledFile(DatastoreFiles files, DatastorePath path) {
    this.files = files;
    this.path = path;
  }

  /** Bytes that are there for certain, without a look. */
  long known() {
    lock.lock();
    try {
      return size;
    } finally {
      lock.unlock();
    }
  }

  /** Bytes that are there now; none when there is no file. */
  long look() {
    long began = System.nanoTime();
    long now = files.size(path).orElse(0);
    lock.lock();
    try {
      looked = began;
      if (now > size) {
        size = now;
        pause = SHORTEST;
        news.signalAll();
      }
      return now;
    } finally {
      lock.unlock();
    }
  }

  /** How often {@link #wake} was called. */
  long wakes() {
    lock.lock();
    try {
      return wakes;
    } finally {
      lock.unlock();
    }
  }

  void wake() {
    lock.lock();
    try {
      wakes++;
      news.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits until the file is longer than {@code than}, or has been woken more often than {@code
   * woken}; returns whether it is longer.
   */
  boolean awaitMore(long than, long woken, Duration timeout) {
    long end = System.nanoTime() + timeout.toNanos();
    lock.lock();
    try {
      while (size <= than) {
        long now = System.nanoTime();
        if (wakes != woken || end - now <= 0) {
          return false;
        }
        long due = looked + pause - now;
        if (polling || due > 0) {
          var _ = news.awaitNanos(polling ? end - now : Math.min(due, end - now));
        } else {
          poll();
        }
      }
      return true;
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("waiting for " + path, e);
    } finally {
      lock.unlock();
    }
  }

  /** Looks, without the lock. */
  private void poll() {
    polling = true;
    pause = Math.min(LONGEST, pause * 3 / 2);
    lock.unlock();
    try {
      look();
    } finally {
      lock.lock();
      polling = false;
      news.signalAll();
    }
  }
}
