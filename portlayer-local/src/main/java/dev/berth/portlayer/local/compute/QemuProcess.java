package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.HostProcess;
import dev.berth.portlayer.local.network.Names;
import dev.berth.portlayer.local.qemu.QemuCommand;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Starts QEMU for a containerVM, and finds it again. */
final class QemuProcess {
  private static final Logger LOG = LoggerFactory.getLogger(QemuProcess.class);
  private static final long KILL_SECONDS = 30;
  private static final long MEBIBYTE = 1L << 20;

  /** Numbers of users that no account has, one for each VM so that none can touch another. */
  private static final int FIRST_USER = 1_000_000_000;

  private static final int USERS = 1 << 24;

  private QemuProcess() {}

  /**
   * A QEMU that was started.
   *
   * @param configuration takes what its guest is told at boot; no guest runs before it was closed
   * @param exit completes when it has ended
   */
  record Started(HostProcess process, OutputStream configuration, CompletableFuture<Process> exit) {
    /** Kills it and waits until it has gone, so that nobody takes its place before. */
    void end() {
      process.kill();
      try {
        var _ = exit.get(KILL_SECONDS, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } catch (ExecutionException | TimeoutException e) {
        LOG.error("QEMU, process {}, did not end although it was killed", process.pid());
      }
    }
  }

  /** Starts it; {@code onExit} runs when it ends. */
  static Started start(
      Environment environment, ContainerVmSpec spec, VmFiles files, Runnable onExit) {
    List<String> line = new ArrayList<>(List.of("setsid"));
    line.addAll(environment.commands().inNetwork(command(environment, spec, files).line()));
    try {
      Files.deleteIfExists(files.control());
      Files.deleteIfExists(files.monitor());
      Process process =
          new ProcessBuilder(line)
              .redirectErrorStream(true)
              .redirectOutput(files.output().toFile())
              .start();
      CompletableFuture<Process> exit = process.onExit();
      var _ = exit.thenRun(() -> Thread.startVirtualThread(onExit));
      HostProcess found =
          HostProcess.of(process.pid())
              .orElseThrow(
                  () ->
                      new PortLayerException(
                          Code.UNAVAILABLE,
                          "containerVM %s: QEMU ended at once: %s"
                              .formatted(spec.id(), lastLine(files.output()))));
      return new Started(found, process.getOutputStream(), exit);
    } catch (IOException e) {
      throw AtomicFiles.failure("start QEMU with its files in", files.directory(), e);
    }
  }

  /** The process that a control plane started just before it died, without a word of it. */
  static Optional<HostProcess> findUnrecorded(VmFiles files) {
    try {
      long pid = Long.parseLong(Files.readString(files.processId()).strip());
      // The path of the file is in the command line: no other process has it.
      return HostProcess.of(pid)
          .filter(process -> process.commandLine().contains(files.processId().toString()));
    } catch (IOException | NumberFormatException e) {
      return Optional.empty();
    }
  }

  static QemuCommand command(Environment environment, ContainerVmSpec spec, VmFiles files) {
    long memory =
        (spec.resources().memoryLimit() + MEBIBYTE - 1) / MEBIBYTE
            + environment.artifact().overheadMebibytes();
    return new QemuCommand(
        spec.id(),
        environment.artifact(),
        environment.accelerator(),
        spec.resources().cpus(),
        memory,
        user(environment.vch() + "/" + spec.id()),
        environment.tscKilohertz(),
        files.forQemu(),
        BootConfiguration.disks(spec).stream()
            .map(
                numbered ->
                    new QemuCommand.Disk(
                        numbered.serial(),
                        Path.of(numbered.disk().location()),
                        numbered.disk().readOnly(),
                        numbered.serial().equals("scratch")))
            .toList(),
        spec.nics().stream()
            .map(nic -> new QemuCommand.Nic(environment.network().tap(nic), nic.mac(), nic.mtu()))
            .toList());
  }

  private static int user(String key) {
    return FIRST_USER + Integer.parseInt(Names.hash(key, 3), 16) % USERS;
  }

  /** The last line of a diagnostic file that says anything. */
  static String lastLine(Path file) {
    try {
      return Files.readString(file, StandardCharsets.ISO_8859_1)
          .lines()
          .map(String::strip)
          .filter(line -> !line.isEmpty())
          .reduce((first, second) -> second)
          .orElse("it said nothing");
    } catch (IOException e) {
      return "it said nothing";
    }
  }
}
