package dev.berth.cli.quickstart;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A program that goes on after the command that started it. Its process id is kept with its start
 * time, so that another process which got the same id later is never taken for it, and with its
 * command line.
 */
final class SupervisedProcess {
  private static final Duration PATIENCE = Duration.ofSeconds(40);
  private static final long POLL_MILLIS = 50;

  private final String name;
  private final Path record;
  private final Path log;

  SupervisedProcess(String name, Path directory) {
    this.name = name;
    this.record = directory.resolve("run").resolve(name + ".pid");
    this.log = directory.resolve("logs").resolve(name + ".log");
  }

  Optional<ProcessHandle> running() {
    return record()
        .map(text -> text.lines().findFirst().orElse(""))
        .flatMap(SupervisedProcess::find);
  }

  private static Optional<ProcessHandle> find(String identity) {
    String[] words = identity.split(" ", -1);
    if (words.length != 2 || !words[0].matches("[0-9]{1,18}")) {
      return Optional.empty();
    }
    return ProcessHandle.of(Long.parseLong(words[0]))
        .filter(ProcessHandle::isAlive)
        .filter(process -> startTime(process.pid()).equals(words[1]));
  }

  /** Whether it runs, and with this very command line. */
  boolean runs(List<String> command) {
    return running().isPresent()
        && record().map(text -> text.endsWith("\n" + commandLine(command))).orElse(false);
  }

  private static String commandLine(List<String> command) {
    return String.join("\n", command);
  }

  /** Process id and start time in the first line, the command line in the others. */
  private Optional<String> record() {
    try {
      return Optional.of(Files.readString(record));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new QuickstartException("cannot read " + record + ": " + e.getMessage(), e);
    }
  }

  /**
   * Starts the program in a session of its own, its output in the log, and waits until it is ready.
   * One that runs already is ended first.
   *
   * @throws QuickstartException with the log's end when it ends first or is not ready in time
   */
  void start(List<String> command, Duration deadline, BooleanSupplier ready) {
    List<String> detached = new ArrayList<>(List.of("setsid"));
    detached.addAll(command);
    stop();
    try {
      rotateLog();
      Process process =
          new ProcessBuilder(detached)
              .redirectInput(new File("/dev/null"))
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      Files.writeString(
          record,
          "%d %s\n%s".formatted(process.pid(), startTime(process.pid()), commandLine(command)));
      Instant end = Instant.now().plus(deadline);
      while (!ready.getAsBoolean()) {
        if (!process.isAlive()) {
          throw new QuickstartException(name + " ended:\n" + logEnd());
        }
        if (Instant.now().isAfter(end)) {
          throw new QuickstartException(
              "%s was not ready after %d s:%n%s".formatted(name, deadline.toSeconds(), logEnd()));
        }
        Thread.sleep(POLL_MILLIS);
      }
    } catch (IOException e) {
      throw new QuickstartException("cannot start " + name + ": " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QuickstartException("interrupted while starting " + name, e);
    }
  }

  private void rotateLog() throws IOException {
    if (Files.exists(log)) {
      Files.move(
          log,
          log.resolveSibling(name + ".previous.log"),
          java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Whether the log has a line that begins with these words. */
  boolean logged(String words) {
    try (var lines = Files.lines(log)) {
      return lines.anyMatch(line -> line.startsWith(words));
    } catch (IOException e) {
      throw new QuickstartException("cannot read " + log + ": " + e.getMessage(), e);
    }
  }

  String logEnd() {
    try {
      List<String> lines = Files.readAllLines(log);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
    } catch (IOException e) {
      return "(no log: " + e.getMessage() + ")";
    }
  }

  /** Asks it to end, then ends it. Idempotent. */
  void stop() {
    running().ifPresent(process -> end(List.of(process)));
    try {
      Files.deleteIfExists(record);
    } catch (IOException e) {
      throw new QuickstartException("cannot delete " + record + ": " + e.getMessage(), e);
    }
  }

  /** Sends TERM to all, waits, and sends KILL to those that are left. */
  static void end(List<ProcessHandle> processes) {
    processes.forEach(ProcessHandle::destroy);
    if (!gone(processes, PATIENCE)) {
      processes.forEach(ProcessHandle::destroyForcibly);
      if (!gone(processes, PATIENCE)) {
        throw new QuickstartException("processes do not end: " + processes);
      }
    }
  }

  private static boolean gone(List<ProcessHandle> processes, Duration patience) {
    Instant end = Instant.now().plus(patience);
    try {
      while (processes.stream().anyMatch(SupervisedProcess::lives)) {
        if (Instant.now().isAfter(end)) {
          return false;
        }
        Thread.sleep(POLL_MILLIS);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new QuickstartException("interrupted while ending processes", e);
    }
  }

  /** A zombie, whose parent has not asked after it yet, is gone for our purposes. */
  static boolean lives(ProcessHandle process) {
    return process.isAlive() && !stat(process.pid()).startsWith("Z");
  }

  private static String startTime(long pid) {
    String[] fields = stat(pid).split(" ", -1);
    return fields.length > 19 ? fields[19] : "";
  }

  /**
   * The fields of /proc/PID/stat from the state on; the program's name before them may hold
   * anything. Empty when there is none.
   */
  private static String stat(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      return stat.substring(stat.lastIndexOf(')') + 2);
    } catch (IOException e) {
      return "";
    }
  }
}
