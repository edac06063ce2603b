package dev.berth.cli.quickstart;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the short commands of iproute2 and nftables. */
final class Shell {
  private static final long DEADLINE_SECONDS = 60;

  private Shell() {}

  /** What a command printed, both streams together. */
  record Result(int exitCode, String output) {}

  static Result run(String... command) {
    return run(List.of(command), "");
  }

  static Result run(List<String> command, String input) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      try (var stdin = process.outputWriter(StandardCharsets.UTF_8)) {
        stdin.write(input);
      }
      String output;
      try (var stdout = process.getInputStream()) {
        output = new String(stdout.readAllBytes(), StandardCharsets.UTF_8).strip();
      }
      if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new QuickstartException(
            "\"%s\" was not done after %d s"
                .formatted(String.join(" ", command), DEADLINE_SECONDS));
      }
      return new Result(process.exitValue(), output);
    } catch (IOException e) {
      throw new QuickstartException("cannot run " + command.getFirst() + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QuickstartException("interrupted while running " + command.getFirst(), e);
    }
  }

  /** Runs a command that must succeed; returns what it printed. */
  static String require(String... command) {
    return require(List.of(command), "");
  }

  /** Runs a command, with an input, that must succeed; returns what it printed. */
  static String require(List<String> command, String input) {
    Result result = run(command, input);
    if (result.exitCode() != 0) {
      throw new QuickstartException(
          "\"%s\" failed: %s".formatted(String.join(" ", command), result.output()));
    }
    return result.output();
  }

  static boolean succeeds(String... command) {
    return run(command).exitCode() == 0;
  }
}
