package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.interaction.LogSource;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.FileWatcher;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** The log port's file, woken by the kernel when it grows or the machine's state changes. */
final class FileLogSource implements LogSource {
  private final VmFiles files;
  private final Path file;
  private final FileChannel channel;
  private final Semaphore news = new Semaphore(0);
  private final FileWatcher.Watch logWatch;
  private final FileWatcher.Watch stateWatch;

  FileLogSource(VmFiles files, FileWatcher watcher) {
    this.files = files;
    this.file = files.log();
    try {
      this.channel =
          FileChannel.open(
              file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
    } catch (IOException e) {
      throw AtomicFiles.failure("read", file, e);
    }
    Path directory = file.getParent();
    this.logWatch = watcher.watch(directory == null ? files.directory() : directory, news::release);
    this.stateWatch = watcher.watch(files.directory(), news::release);
  }

  @Override
  public int read(long offset, ByteBuffer target) {
    try {
      return Math.max(0, channel.read(target, offset));
    } catch (IOException e) {
      throw AtomicFiles.failure("read", file, e);
    }
  }

  @Override
  public long size() {
    try {
      return channel.size();
    } catch (IOException e) {
      throw AtomicFiles.failure("read", file, e);
    }
  }

  @Override
  public long start() {
    return LogTrimmer.start(files);
  }

  @Override
  public boolean awaitGrowth(long size, Duration timeout) {
    news.drainPermits();
    if (size() > size) {
      return true;
    }
    try {
      var _ = news.tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("waiting for " + file, e);
    }
    return size() > size;
  }

  @Override
  public void close() {
    logWatch.close();
    stateWatch.close();
    try {
      channel.close();
    } catch (IOException e) {
      throw AtomicFiles.failure("close", file, e);
    }
  }
}
