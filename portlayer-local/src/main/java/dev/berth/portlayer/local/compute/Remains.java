package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.CpuGroup;
import dev.berth.portlayer.local.host.HostProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** Ends the containerVMs of a VCH without opening it, which may not even be possible. */
public final class Remains {
  private static final long SECONDS = 30;

  private Remains() {}

  /** Kills every QEMU of record below the directory of groups, and waits until all are gone. */
  public static void end(Path groups, Path sockets, CpuGroup cpuGroup) {
    if (!Files.isDirectory(groups)) {
      return;
    }
    for (Path group : list(groups)) {
      for (Path vm : list(group)) {
        if (Files.isDirectory(vm)) {
          String id = String.valueOf(vm.getFileName());
          process(new VmFiles(id, vm, sockets)).ifPresent(Remains::end);
          cpuGroup.remove(id);
        }
      }
    }
  }

  private static Optional<HostProcess> process(VmFiles files) {
    return AtomicFiles.read(files.record(), MachineRecord.class)
        .flatMap(MachineRecord::qemu)
        .or(() -> QemuProcess.findUnrecorded(files))
        .filter(HostProcess::alive);
  }

  private static void end(HostProcess process) {
    Optional<ProcessHandle> handle = ProcessHandle.of(process.pid());
    process.kill();
    try {
      if (handle.isPresent() && process.alive()) {
        var _ = handle.get().onExit().get(SECONDS, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("ending QEMU", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new PortLayerException(
          Code.INTERNAL, "QEMU, process %d, did not end".formatted(process.pid()), e);
    }
  }

  private static List<Path> list(Path directory) {
    try (Stream<Path> all = Files.list(directory)) {
      return all.filter(Files::isDirectory).toList();
    } catch (IOException e) {
      throw AtomicFiles.failure("list", directory, e);
    }
  }
}
