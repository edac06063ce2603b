package dev.berth.e2e;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A program run to its end within a deadline. */
public final class Command {
  private final List<String> arguments;
  private Map<String, String> environment = Map.of();
  private byte[] input = new byte[0];
  private Duration deadline = Duration.ofSeconds(60);

  private Command(List<String> arguments) {
    this.arguments = List.copyOf(arguments);
  }

  public static Command of(List<String> arguments) {
    return new Command(arguments);
  }

  public static Command of(String... arguments) {
    return new Command(List.of(arguments));
  }

  public Command environment(Map<String, String> more) {
    environment = Map.copyOf(more);
    return this;
  }

  public Command input(byte[] bytes) {
    input = bytes.clone();
    return this;
  }

  public Command input(String text) {
    return input(text.getBytes(StandardCharsets.UTF_8));
  }

  public Command deadline(Duration most) {
    deadline = most;
    return this;
  }

  /** Starts the program; the caller ends it. */
  public Process start() {
    try {
      ProcessBuilder builder = new ProcessBuilder(arguments);
      builder.environment().putAll(environment);
      return builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Result run() {
    Process process = start();
    try (var output = new Drain(process.getInputStream());
        var error = new Drain(process.getErrorStream())) {
      Thread feeder = Thread.ofVirtual().start(() -> feed(process));
      if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        throw new AssertionError(
            "not done within %s: %s%n%s%n%s"
                .formatted(deadline, arguments, output.text(), error.text()));
      }
      feeder.join(Duration.ofSeconds(10));
      String said = new String(error.bytes(), StandardCharsets.UTF_8);
      return new Result(arguments, process.exitValue(), output.bytes(), said);
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private void feed(Process process) {
    try (OutputStream stdin = process.getOutputStream()) {
      stdin.write(input);
    } catch (IOException e) {
      // The program ended without reading all of it; its exit code tells whether that was right.
      return;
    }
  }

  /** What a program left. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Result(List<String> arguments, int exitCode, byte[] bytes, String error) {
    public String output() {
      return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Fails the test unless the program ended with this exit code. */
    public Result expect(int code) {
      if (exitCode != code) {
        throw new AssertionError(
            "exit code %d instead of %d: %s%n%s%n%s"
                .formatted(exitCode, code, arguments, output(), error));
      }
      return this;
    }
  }

  private static final class Drain implements AutoCloseable {
    private final ByteArrayOutputStream collected = new ByteArrayOutputStream();
    private final Thread thread;

    Drain(InputStream stream) {
      thread =
          Thread.ofVirtual()
              .start(
                  () -> {
                    try (stream) {
                      stream.transferTo(collected);
                    } catch (IOException e) {
                      // Ends as the program does.
                      return;
                    }
                  });
    }

    byte[] bytes() throws InterruptedException {
      thread.join(Duration.ofSeconds(10));
      return collected.toByteArray();
    }

    String text() {
      return collected.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
      thread.interrupt();
    }
  }
}
