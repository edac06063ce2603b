package dev.berth.portlayer.memory;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.LogLine.Stream;
import dev.berth.portlayer.interaction.ProcessSession;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** An exec or an attach. */
final class MemorySession implements ProcessSession {
  /** What a session is to be. */
  sealed interface Kind {
    record Exec(ExecSpec spec) implements Kind {}

    record Attach(boolean stdin) implements Kind {}
  }

  private final MemoryVm vm;
  private final boolean attached;
  private final boolean input;
  private final boolean endInputOnClose;
  private final Runnable start;
  private final GuestProcess process;
  private final Pipe stdout = new Pipe();
  private final Pipe stderr = new Pipe();
  private final CompletableFuture<Exit> exit = new CompletableFuture<>();

  private MemorySession(MemoryVm vm, GuestProcess main, boolean stdin, boolean stdinOnce) {
    this.vm = vm;
    this.process = main;
    this.attached = true;
    this.input = stdin;
    this.endInputOnClose = stdin && stdinOnce;
    this.start = () -> {};
  }

  private MemorySession(MemoryVm vm, GuestProcess.Surroundings surroundings, ExecSpec spec) {
    this.vm = vm;
    this.attached = false;
    this.input = spec.stdin();
    this.endInputOnClose = false;
    this.process = new GuestProcess(surroundings, spec.stdin(), listener());
    spec.size().ifPresent(process::resize);
    this.start = () -> beginExec(spec);
  }

  static MemorySession attached(MemoryVm vm, GuestProcess main, boolean stdin, boolean once) {
    return new MemorySession(vm, main, stdin, once);
  }

  static MemorySession executed(
      MemoryVm vm, GuestProcess.Surroundings surroundings, ExecSpec spec) {
    return new MemorySession(vm, surroundings, spec);
  }

  void begin() {
    start.run();
  }

  private void beginExec(ExecSpec spec) {
    if (process.knows(spec.arguments())) {
      process.begin(spec.arguments());
    } else {
      finish(
          new Exit(
              GuestProcess.UNKNOWN_COMMAND,
              "exec: \"%s\": executable file not found in $PATH"
                  .formatted(spec.arguments().getFirst())));
    }
  }

  private GuestProcess.Listener listener() {
    return new GuestProcess.Listener() {
      @Override
      public void output(Stream stream, byte[] bytes) {
        write(stream, bytes);
      }

      @Override
      public void exited(int code, int signal) {
        finish(new Exit(code, ""));
      }
    };
  }

  private void write(Stream stream, byte[] bytes) {
    (stream == Stream.STDOUT ? stdout : stderr).write(bytes);
  }

  private void finish(Exit how) {
    stdout.finish();
    stderr.finish();
    exit.complete(how);
  }

  void mainOutput(Stream stream, byte[] bytes) {
    if (attached) {
      write(stream, bytes);
    }
  }

  /** The end of the first process is the end of everything in the container. */
  void mainExited(int code) {
    if (attached) {
      finish(new Exit(code, ""));
    } else {
      process.exit(128 + Signals.KILL, Signals.KILL);
    }
  }

  void fail(String reason) {
    stdout.fail(reason);
    stderr.fail(reason);
    exit.completeExceptionally(new PortLayerException(Code.UNAVAILABLE, reason));
  }

  @Override
  public OutputStream stdin() {
    return new OutputStream() {
      @Override
      public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        if (!input) {
          throw new IOException("the process has no input");
        }
        if (exit.isDone()) {
          throw new IOException("the process is over");
        }
        stdout.awaitRoom();
        synchronized (vm) {
          process.input(Arrays.copyOfRange(bytes, offset, offset + length));
        }
      }

      @Override
      public void close() {
        synchronized (vm) {
          if (input && (!attached || endInputOnClose)) {
            process.closeInput();
          }
        }
      }
    };
  }

  @Override
  public InputStream stdout() {
    return stdout;
  }

  @Override
  public InputStream stderr() {
    return stderr;
  }

  @Override
  public void resize(ExecSpec.TerminalSize size) {
    synchronized (vm) {
      process.resize(size);
    }
  }

  @Override
  public Optional<Exit> awaitExit(Duration timeout) {
    try {
      return Optional.of(exit.get(timeout.toNanos(), TimeUnit.NANOSECONDS));
    } catch (TimeoutException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("waiting for a process", e);
    } catch (ExecutionException e) {
      throw new PortLayerException(Code.UNAVAILABLE, "the session broke", e);
    }
  }

  @Override
  public void close() {
    synchronized (vm) {
      vm.closed(this);
      if (!attached) {
        process.exit(128 + Signals.KILL, Signals.KILL);
      } else if (endInputOnClose) {
        process.closeInput();
      }
      fail("the session was closed");
    }
  }
}
