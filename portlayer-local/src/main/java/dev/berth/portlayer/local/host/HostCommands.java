package dev.berth.portlayer.local.host;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.image.content.StorageFailures;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Runs the host's own tools ({@code ip}, {@code nft}, {@code mke2fs}), each with a deadline. */
public final class HostCommands {
  private static final Duration DEADLINE = Duration.ofSeconds(60);

  /** Tools that enter a namespace themselves, without a mount namespace and another exec. */
  private static final Set<String> NAMESPACE_AWARE = Set.of("ip", "bridge");

  private final Optional<String> networkNamespace;

  /**
   * @param networkNamespace the named network namespace in which {@link #inNetwork} runs
   */
  public HostCommands(Optional<String> networkNamespace) {
    this.networkNamespace = networkNamespace;
  }

  /** The command line that runs a program in the VCH's network namespace. */
  public List<String> inNetwork(List<String> command) {
    if (networkNamespace.isEmpty()) {
      return command;
    }
    List<String> line = new ArrayList<>();
    if (NAMESPACE_AWARE.contains(command.getFirst())) {
      line.addAll(List.of(command.getFirst(), "-n", networkNamespace.get()));
      line.addAll(command.subList(1, command.size()));
    } else {
      line.addAll(List.of("ip", "netns", "exec", networkNamespace.get()));
      line.addAll(command);
    }
    return line;
  }

  /**
   * Runs a program and returns what it printed.
   *
   * @throws PortLayerException with its error output when it fails, RESOURCE_EXHAUSTED for want of
   *     disk space and INTERNAL otherwise; UNSUPPORTED when it is not installed
   */
  public String run(List<String> command) {
    return run(command, "");
  }

  /** As {@link #run(List)}, with input. */
  public String run(List<String> command, String input) {
    Result result = attempt(command, input);
    if (result.exitCode() != 0) {
      throw new PortLayerException(
          StorageFailures.isFull(result.error()) ? Code.RESOURCE_EXHAUSTED : Code.INTERNAL,
          "\"%s\" failed with exit code %d: %s"
              .formatted(String.join(" ", command), result.exitCode(), result.error().strip()));
    }
    return result.output();
  }

  /** What a program said. */
  public record Result(int exitCode, String output, String error) {}

  /** Runs a program whose failure the caller judges. */
  public Result attempt(List<String> command, String input) {
    Process process;
    try {
      process = new ProcessBuilder(command).start();
    } catch (IOException e) {
      throw new PortLayerException(
          Code.UNSUPPORTED,
          "cannot run %s: install it (%s)".formatted(command.getFirst(), e.getMessage()),
          e);
    }
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      var output = CompletableFuture.supplyAsync(() -> read(process.getInputStream()), executor);
      var error = CompletableFuture.supplyAsync(() -> read(process.getErrorStream()), executor);
      write(process.getOutputStream(), input);
      if (!process.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
        throw new PortLayerException(
            Code.DEADLINE_EXCEEDED,
            "\"%s\" did not end within %d s"
                .formatted(String.join(" ", command), DEADLINE.toSeconds()));
      }
      return new Result(process.exitValue(), output.join(), error.join());
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("running " + command.getFirst(), e);
    } finally {
      process.destroyForcibly();
    }
  }

  private static String read(InputStream stream) {
    try (stream) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      // The process was ended by its deadline.
      return "";
    }
  }

  private static void write(OutputStream stream, String input) {
    try (stream) {
      stream.write(input.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // A program that ends without reading its input says why by its exit code.
    }
  }
}
