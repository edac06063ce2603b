package dev.berth.portlayer.vsphere.interaction;

import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import java.util.HashMap;
import java.util.Map;

/**
 * The log files that somebody reads, each polled once for all its readers: vCenter tells nobody
 * that a file grows. Safe for use by many threads.
 */
public final class LogPolls {
  private final Map<DatastorePath, Shared> shared = new HashMap<>();

  private static final class Shared {
    final PolledFile file;
    int readers;

    Shared(PolledFile file) {
      this.file = file;
    }
  }

  /**
   * Makes those who wait for a file to grow look at once. To be called after something happened
   * that may have ended an attempt, when it can be read already.
   */
  public void wake(DatastorePath path) {
    PolledFile file;
    synchronized (this) {
      Shared there = shared.get(path);
      file = there == null ? null : there.file;
    }
    if (file != null) {
      file.wake();
    }
  }

  synchronized PolledFile open(DatastoreFiles files, DatastorePath path) {
    Shared file = shared.computeIfAbsent(path, key -> new Shared(new PolledFile(files, path)));
    file.readers++;
    return file.file;
  }

  synchronized void release(DatastorePath path) {
    Shared file = shared.get(path);
    if (file != null && --file.readers == 0) {
      shared.remove(path);
    }
  }
}
