package dev.berth.portlayer.memory;

import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.compute.ProcessState.Reason;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/** One start of a container's process. Used with the VM's monitor held. */
final class Attempt {
  private static final int LONGEST_MESSAGE = 4096;

  private final Object monitor;
  private final ContainerVmSpec vm;
  private final ProcessSpec spec;
  private final Set<String> programs;
  private final FileTree files;
  private final FileTree.View view;
  private final GuestProcess process;
  private boolean outOfMemory;
  private boolean stopping;

  Attempt(
      MemoryVm vm,
      ProcessSpec spec,
      Set<String> programs,
      FileTree files,
      GuestProcess.Listener listener) {
    this.monitor = vm;
    this.vm = vm.spec();
    this.spec = spec;
    this.programs = programs;
    this.files = files;
    this.view = files.view(spec.mounts(), spec.security().readOnlyRoot());
    this.process = new GuestProcess(surroundings(spec.terminal()), spec.stdin(), listener);
  }

  GuestProcess process() {
    return process;
  }

  ProcessSpec spec() {
    return spec;
  }

  /** Why it cannot be started; empty when it can. */
  String problem() {
    return StartProblems.of(spec, process, files);
  }

  void begin() {
    process.begin(spec.arguments());
  }

  /** What this process, or another one beside it, finds around it. */
  GuestProcess.Surroundings surroundings(boolean terminal) {
    Map<String, String> environment = new LinkedHashMap<>();
    for (String entry : spec.environment()) {
      int equals = entry.indexOf('=');
      environment.put(entry.substring(0, equals), entry.substring(equals + 1));
    }
    String user = spec.security().user();
    environment.putIfAbsent("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    environment.putIfAbsent("HOSTNAME", vm.hostname());
    environment.putIfAbsent("HOME", user.isEmpty() || user.startsWith("0") ? "/root" : "/");
    return new GuestProcess.Surroundings(
        monitor,
        environment,
        view,
        spec.workingDirectory().isEmpty() ? "/" : spec.workingDirectory(),
        vm.hostname(),
        user.isEmpty() ? "0" : user,
        terminal,
        programs);
  }

  /** The guest's kernel ends it. */
  void runOutOfMemory() {
    outOfMemory = true;
    process.signal(Signals.KILL);
  }

  Reason reason(int code) {
    if (outOfMemory) {
      return Reason.OUT_OF_MEMORY;
    }
    return code == 0 ? Reason.COMPLETED : Reason.ERROR;
  }

  /** Its termination message. */
  String lastWords(int code, MemoryLog log) {
    String message =
        view.read(spec.terminationMessage().path())
            .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
            .orElse("");
    boolean fallback = message.isEmpty() && code != 0 && spec.terminationMessage().fallbackToLogs();
    return fallback
        ? log.tail()
        : message.substring(0, Math.min(message.length(), LONGEST_MESSAGE));
  }

  boolean stopping() {
    return stopping;
  }

  void sendStopSignal() {
    stopping = true;
    process.signal(spec.stopSignal().map(Signals::number).orElse(Signals.TERMINATE));
  }
}
