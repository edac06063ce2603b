package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.local.host.HostProcess;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waits for the end of a QEMU that another process started: its monitor's connection ends with it.
 * Costs a virtual thread and a file descriptor, and no look at a clock.
 */
final class ExitWatch implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ExitWatch.class);

  private final HostProcess process;
  private final Path monitor;
  private final Runnable onExit;
  private volatile boolean closed;
  private final Thread thread;

  ExitWatch(HostProcess process, Path monitor, Runnable onExit) {
    this.process = process;
    this.monitor = monitor;
    this.onExit = onExit;
    this.thread = Thread.ofVirtual().name("exit-watch-" + process.pid()).start(this::run);
  }

  private void run() {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(monitor));
      ByteBuffer buffer = ByteBuffer.allocate(1024);
      while (channel.read(buffer.clear()) >= 0) {
        // The greeting and events, which nobody here asked for.
      }
    } catch (IOException e) {
      LOG.debug("monitor {}: {}", monitor, e.toString());
    }
    awaitProcess();
    if (!closed) {
      onExit.run();
    }
  }

  /** The connection may end a moment before the process, or never have come about. */
  private void awaitProcess() {
    if (!closed && process.alive()) {
      ProcessHandle.of(process.pid()).ifPresent(handle -> handle.onExit().join());
    }
  }

  @Override
  public void close() {
    closed = true;
    if (Thread.currentThread() != thread) {
      thread.interrupt();
    }
  }
}
