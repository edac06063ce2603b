package dev.berth.portlayer.memory;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.FilesVolume;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.compute.ProcessState.Exited;
import dev.berth.portlayer.compute.ProcessState.Reason;
import dev.berth.portlayer.compute.ProcessState.Running;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.interaction.CriLog;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.LogLine.Stream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A containerVM that is only a record; its monitor guards it and the processes in it. */
final class MemoryVm implements CriLog.Attempts {
  private static final int HISTORY = 5;

  private final World world;
  private final String groupId;
  private final ContainerVmSpec spec;
  private final Set<String> programs;
  private final FileTree files = new FileTree();
  private final MemoryLog log = new MemoryLog();
  private final List<MemorySession> sessions = new CopyOnWriteArrayList<>();
  private final List<Exited> history = new ArrayList<>();

  private PowerState power = PowerState.OFF;
  private ProcessState state = new ProcessState.NotStarted();
  private @Nullable Attempt attempt;
  private final Set<Integer> listening = new HashSet<>();
  private long killAt;

  MemoryVm(World world, String groupId, ContainerVmSpec spec, Set<String> programs) {
    this.world = world;
    this.groupId = groupId;
    this.spec = spec;
    this.programs = programs;
  }

  ContainerVmSpec spec() {
    return spec;
  }

  synchronized ContainerVm observe() {
    return new ContainerVm(spec, power, power == PowerState.ON, state, history);
  }

  synchronized boolean isOn() {
    return power == PowerState.ON;
  }

  synchronized void powerOn() {
    if (power == PowerState.OFF) {
      world.pool.admit(spec);
      power = PowerState.ON;
      files.boot();
      tell(PortLayerEvent.Type.VM_POWERED_ON, "");
      tell(PortLayerEvent.Type.VM_READY, "");
    }
  }

  /** The VM goes at once, and the process under it. */
  synchronized void cut() {
    if (power == PowerState.OFF) {
      return;
    }
    power = PowerState.OFF;
    world.pool.release(spec.id());
    breakSessions("the containerVM was powered off");
    Attempt current = attempt;
    if (state instanceof Running && current != null) {
      current.process().exit(128 + Signals.KILL, Signals.KILL);
      ended(128 + Signals.KILL, 0, Reason.VM_LOST, "");
    }
    tell(PortLayerEvent.Type.VM_POWERED_OFF, "");
  }

  void breakSessions(String reason) {
    sessions.forEach(session -> session.fail(reason));
    sessions.clear();
  }

  synchronized void writeVolume(FilesVolume volume) {
    requireReady();
    files.write(volume);
  }

  private void requireReady() {
    if (power == PowerState.OFF) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "containerVM %s is powered off: power it on first".formatted(spec.id()));
    }
  }

  synchronized ContainerVm start(int attempt, ProcessSpec wanted) {
    requireReady();
    OptionalInt last = last();
    if (last.isPresent() && last.getAsInt() == attempt) {
      return observe();
    }
    if (state instanceof Running
        || (last.isPresent() && attempt < last.getAsInt())
        || attempt < 0) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "containerVM %s: attempt %d cannot start: attempt %d %s"
              .formatted(
                  spec.id(),
                  attempt,
                  last.orElse(-1),
                  state instanceof Running ? "runs" : "came before"));
    }
    remember();
    launch(attempt, wanted);
    return observe();
  }

  private void remember() {
    if (state instanceof Exited exited) {
      history.add(exited);
      if (history.size() > HISTORY) {
        history.removeFirst();
      }
    }
  }

  private void launch(int number, ProcessSpec wanted) {
    listening.clear();
    log.attempt(number);
    Attempt next = new Attempt(this, wanted, programs, files, mainListener());
    attempt = next;
    state = new Running(number, Instant.now());
    String problem = next.problem();
    if (!problem.isEmpty()) {
      ended(128, 0, Reason.START_ERROR, problem);
      return;
    }
    tell(PortLayerEvent.Type.PROCESS_STARTED, "attempt " + number);
    next.begin();
  }

  private GuestProcess.Listener mainListener() {
    return new GuestProcess.Listener() {
      @Override
      public void output(Stream stream, byte[] bytes) {
        log.write(stream, bytes);
        sessions.forEach(session -> session.mainOutput(stream, bytes));
      }

      @Override
      public void exited(int code, int signal) {
        Attempt current = attempt;
        if (power == PowerState.ON && current != null) {
          ended(code, signal, current.reason(code), current.lastWords(code, log));
        }
      }
    };
  }

  private void ended(int code, int signal, Reason reason, String message) {
    Running running = (Running) state;
    log.flush();
    Instant started = reason == Reason.START_ERROR ? Instant.now() : running.startedAt();
    Instant finished = reason == Reason.START_ERROR ? started : Instant.now();
    state = new Exited(running.attempt(), started, finished, code, signal, reason, message);
    log.source().wake();
    sessions.forEach(session -> session.mainExited(code));
    sessions.clear();
    tell(PortLayerEvent.Type.PROCESS_EXITED, "exit code " + code);
    notifyAll();
  }

  synchronized ContainerVm stop(Duration gracePeriod) {
    long wanted = System.nanoTime() + gracePeriod.toNanos();
    Attempt current = attempt;
    if (state instanceof Running running && current != null) {
      if (!current.stopping() || wanted - killAt < 0) {
        killAt = wanted;
        notifyAll();
      }
      if (!current.stopping()) {
        current.sendStopSignal();
      }
      awaitEnd(current, running.attempt());
    }
    return observe();
  }

  private void awaitEnd(Attempt current, int number) {
    while (state instanceof Running running && running.attempt() == number) {
      long left = killAt - System.nanoTime();
      if (left <= 0) {
        current.process().signal(Signals.KILL);
        continue;
      }
      try {
        wait(left / 1_000_000, (int) (left % 1_000_000));
      } catch (InterruptedException e) {
        throw PortLayerException.interrupted("stopping the process of " + spec.id(), e);
      }
    }
  }

  synchronized void signal(int number) {
    requireRunning().process().signal(number);
  }

  synchronized void outOfMemory() {
    requireRunning().runOutOfMemory();
  }

  synchronized void endProcess(int exitCode) {
    requireRunning().process().exit(exitCode, exitCode > 128 ? exitCode - 128 : 0);
  }

  synchronized void print(Stream stream, String text) {
    requireRunning();
    mainListener().output(stream, text.getBytes(StandardCharsets.UTF_8));
  }

  private Attempt requireRunning() {
    Attempt current = attempt;
    if (current == null || !(state instanceof Running)) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION,
          "the process of containerVM %s does not run".formatted(spec.id()));
    }
    return current;
  }

  /** Begins a process of the session's, or joins the first one. */
  synchronized MemorySession open(MemorySession.Kind kind) {
    Attempt current = requireRunning();
    ProcessSpec ran = current.spec();
    MemorySession session =
        switch (kind) {
          case MemorySession.Kind.Attach attach ->
              MemorySession.attached(
                  this, current.process(), attach.stdin() && ran.stdin(), ran.stdinOnce());
          case MemorySession.Kind.Exec exec ->
              MemorySession.executed(
                  this, current.surroundings(exec.spec().terminal()), exec.spec());
        };
    sessions.add(session);
    session.begin();
    return session;
  }

  synchronized void listen(int port) {
    requireRunning();
    listening.add(port);
  }

  /** A connection is an exec of {@code cat}, which sends back what it is sent. */
  synchronized MemorySession forward(int port) {
    requireRunning();
    if (!listening.contains(port)) {
      throw new PortLayerException(
          Code.UNAVAILABLE,
          "connect to port %d of %s: connection refused".formatted(port, spec.id()));
    }
    return open(
        new MemorySession.Kind.Exec(new ExecSpec(List.of("cat"), false, true, Optional.empty())));
  }

  void closed(MemorySession session) {
    sessions.remove(session);
  }

  MemoryLogSource log() {
    return log.source();
  }

  @Override
  public synchronized OptionalInt last() {
    return switch (state) {
      case ProcessState.NotStarted() -> OptionalInt.empty();
      case Running running -> OptionalInt.of(running.attempt());
      case Exited exited -> OptionalInt.of(exited.attempt());
    };
  }

  @Override
  public synchronized boolean isOver(int attempt) {
    return !(state instanceof Running running && running.attempt() == attempt);
  }

  private void tell(PortLayerEvent.Type type, String detail) {
    world.tell(type, spec.id(), groupId, detail);
  }
}
