package dev.berth.portlayer.contract;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.LogLine;
import dev.berth.portlayer.interaction.LogReader;
import dev.berth.portlayer.interaction.LogRequest;
import dev.berth.portlayer.interaction.ProcessSession;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** A group of one containerVM, and its attempts. */
final class Guest {
  private final Fixture fixture;
  private final GroupSpec spec;

  Guest(Fixture fixture, GroupSpec spec) {
    this.fixture = fixture;
    this.spec = spec;
  }

  /** What a command run by exec came to. */
  record Result(int code, String message, String stdout, String stderr) {}

  String groupId() {
    return spec.id();
  }

  GroupSpec spec() {
    return spec;
  }

  String id() {
    return spec.members().getFirst().id();
  }

  ContainerVm observe() {
    return fixture.compute().find(groupId()).orElseThrow().members().getFirst();
  }

  void makeReady() {
    ContainerVm vm = observe();
    if (vm.power() == PowerState.OFF || !vm.ready()) {
      fixture.compute().powerOn(groupId(), fixture.patience());
    }
    if (observe().process() instanceof Running) {
      fixture.compute().stopProcess(id(), Duration.ZERO);
    }
  }

  /** The number that the next attempt takes. */
  int nextAttempt() {
    return switch (observe().process()) {
      case ProcessState.NotStarted() -> 0;
      case Running running -> running.attempt() + 1;
      case Exited exited -> exited.attempt() + 1;
    };
  }

  /** Starts the next attempt; returns its number. */
  int start(ProcessSpecs process) {
    int attempt = nextAttempt();
    fixture.compute().startProcess(id(), attempt, process.build());
    return attempt;
  }

  /** Runs the next attempt to its end. */
  Exited run(ProcessSpecs process) {
    start(process);
    return awaitExit();
  }

  Exited awaitExit() {
    fixture.await().until(() -> observe().process() instanceof Exited);
    return exited();
  }

  Exited exited() {
    return assertInstanceOf(Exited.class, observe().process());
  }

  Running running() {
    return assertInstanceOf(Running.class, observe().process());
  }

  void awaitLine(String text) {
    fixture.await().until(() -> lines(LogRequest.all()).contains(text));
  }

  void destroy() {
    fixture.compute().destroy(groupId());
    spec.members().getFirst().disks().stream()
        .filter(disk -> !disk.readOnly())
        .forEach(disk -> fixture.storage().deleteDisk(disk.id()));
    spec.members().getFirst().nics().forEach(nic -> fixture.network().deleteEndpoint(nic.id()));
  }

  /** The last attempt's output, line by line. */
  List<String> lines() {
    return lines(LogRequest.all());
  }

  List<String> lines(LogRequest request) {
    return entries(request).stream()
        .map(line -> new String(line.content(), StandardCharsets.UTF_8))
        .toList();
  }

  List<LogLine> entries(LogRequest request) {
    try (LogReader reader = fixture.interaction().logs(id(), request)) {
      return drain(reader);
    }
  }

  /** Everything up to the reader's end. */
  List<LogLine> drain(LogReader reader) {
    List<LogLine> lines = new ArrayList<>();
    long deadline = System.nanoTime() + fixture.patience().toNanos();
    while (!reader.ended()) {
      LogLine line = reader.next(Duration.ofMillis(200));
      if (line != null) {
        lines.add(line);
      } else if (System.nanoTime() > deadline) {
        throw new AssertionError("the log does not end; so far " + lines.size() + " lines");
      }
    }
    return lines;
  }

  static LogRequest attempt(int number) {
    return new LogRequest(
        OptionalInt.of(number), false, Optional.empty(), OptionalLong.empty(), Optional.empty());
  }

  /** Runs a command by exec, with all its input given at once. */
  Result exec(String input, String... arguments) {
    ExecSpec exec = new ExecSpec(List.of(arguments), false, !input.isEmpty(), Optional.empty());
    try (ProcessSession session = fixture.interaction().exec(id(), exec)) {
      if (!input.isEmpty()) {
        session.stdin().write(input.getBytes(StandardCharsets.UTF_8));
        session.stdin().close();
      }
      String stdout = new String(session.stdout().readAllBytes(), StandardCharsets.UTF_8);
      String stderr = new String(session.stderr().readAllBytes(), StandardCharsets.UTF_8);
      ProcessSession.Exit exit = session.awaitExit(fixture.patience()).orElseThrow();
      return new Result(exit.code(), exit.message(), stdout, stderr);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
