package dev.berth.portlayer.local.host;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/** Tells when a file in a directory grew or changed: one inotify instance for all of them. */
public final class FileWatcher implements AutoCloseable {
  private final WatchService service;
  private final Map<Path, List<Runnable>> listeners = new HashMap<>();
  private final Map<Path, WatchKey> keys = new HashMap<>();

  public FileWatcher() {
    try {
      service = FileSystems.getDefault().newWatchService();
    } catch (IOException e) {
      throw new PortLayerException(
          Code.RESOURCE_EXHAUSTED,
          "cannot watch files: raise fs.inotify.max_user_instances (%s)".formatted(e.getMessage()),
          e);
    }
    Thread.ofPlatform().daemon().name("file-watcher").start(this::run);
  }

  /** A registration; closing it ends the calls. */
  public interface Watch extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Calls {@code changed} after every change in {@code directory}, possibly once for several. It
   * must be quick.
   */
  public synchronized Watch watch(Path directory, Runnable changed) {
    if (!keys.containsKey(directory)) {
      try {
        keys.put(
            directory,
            directory.register(
                service,
                StandardWatchEventKinds.ENTRY_MODIFY,
                StandardWatchEventKinds.ENTRY_CREATE));
      } catch (IOException e) {
        throw new PortLayerException(
            Code.RESOURCE_EXHAUSTED,
            "cannot watch %s: raise fs.inotify.max_user_watches (%s)"
                .formatted(directory, e.getMessage()),
            e);
      }
    }
    listeners.computeIfAbsent(directory, key -> new CopyOnWriteArrayList<>()).add(changed);
    return () -> forget(directory, changed);
  }

  private synchronized void forget(Path directory, Runnable changed) {
    List<Runnable> all = listeners.get(directory);
    if (all == null || !all.remove(changed) || !all.isEmpty()) {
      return;
    }
    listeners.remove(directory);
    WatchKey key = keys.remove(directory);
    if (key != null) {
      key.cancel();
    }
  }

  private void run() {
    try {
      while (true) {
        WatchKey key = service.take();
        var _ = key.pollEvents();
        // Reset before the listeners look: what changes from now on is told again.
        boolean valid = key.reset();
        if (valid && key.watchable() instanceof Path directory) {
          listenersOf(directory).forEach(Runnable::run);
        }
      }
    } catch (ClosedWatchServiceException e) {
      // Closed: nobody listens any more.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized List<Runnable> listenersOf(Path directory) {
    return listeners.getOrDefault(directory, List.of());
  }

  @Override
  public void close() {
    try {
      service.close();
    } catch (IOException e) {
      throw new PortLayerException(Code.INTERNAL, "cannot stop watching files", e);
    }
  }
}
