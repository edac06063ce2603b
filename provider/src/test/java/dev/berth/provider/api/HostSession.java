package dev.berth.provider.api;

import dev.berth.portlayer.interaction.ExecSpec.TerminalSize;
import dev.berth.portlayer.interaction.ProcessSession;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A process of this machine; without one, a command that was not found. */
final class HostSession implements ProcessSession {
  final List<TerminalSize> sizes = new CopyOnWriteArrayList<>();
  volatile boolean closed;
  private final @Nullable Process process;
  private final String message;

  HostSession(@Nullable Process process, String message) {
    this.process = process;
    this.message = message;
  }

  @Override
  public OutputStream stdin() {
    return process == null ? OutputStream.nullOutputStream() : process.getOutputStream();
  }

  @Override
  public InputStream stdout() {
    return process == null ? InputStream.nullInputStream() : process.getInputStream();
  }

  @Override
  public InputStream stderr() {
    return process == null ? InputStream.nullInputStream() : process.getErrorStream();
  }

  @Override
  public void resize(TerminalSize size) {
    sizes.add(size);
  }

  @Override
  public Optional<Exit> awaitExit(Duration timeout) {
    if (process == null) {
      return Optional.of(new Exit(127, message));
    }
    try {
      return process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)
          ? Optional.of(new Exit(process.exitValue(), ""))
          : Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    closed = true;
    if (process != null) {
      process.destroyForcibly();
    }
  }
}
