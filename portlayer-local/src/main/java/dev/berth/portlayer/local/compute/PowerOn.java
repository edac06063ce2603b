package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.InitialProcess;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.tether.TetherMessages;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One start of a QEMU. What the guest is told, its first process included, goes through a pipe into
 * QEMU's memory, and QEMU lets no guest run before it has all of it. So the pipe is also the gate:
 * it is filled when the host's network is ready for the VM, and not at all when that fails.
 */
final class PowerOn {
  private static final Logger LOG = LoggerFactory.getLogger(PowerOn.class);

  /** The guest reads it a byte at a time; what is larger is quicker by the control session. */
  private static final int LARGEST_PROCESS = 32 * 1024;

  /** How often to look whether QEMU listens, which it does within a tenth of a second. */
  private static final long LISTENING_NANOS = 1_000_000;

  /** A QEMU that does not listen by then is given its configuration all the same. */
  private static final long LISTENING_DEADLINE_NANOS = 10_000_000_000L;

  private final Environment environment;
  private final ContainerVmSpec spec;
  private final VmFiles files;
  private final MachineState state;

  PowerOn(Environment environment, ContainerVmSpec spec, VmFiles files, MachineState state) {
    this.environment = environment;
    this.spec = spec;
    this.files = files;
    this.state = state;
  }

  /**
   * Starts the VM; its guest boots when this returns. When this fails, no QEMU is left.
   *
   * @param initial what it starts by itself, if it can take it
   * @param onExit runs when QEMU ends
   */
  void run(Optional<InitialProcess> initial, Runnable onExit) {
    endTornLines();
    state.starting();
    spec.nics().forEach(environment.network()::plug);
    QemuProcess.Started qemu = QemuProcess.start(environment, spec, files, onExit);
    try {
      configure(qemu, initial);
    } catch (RuntimeException e) {
      qemu.end();
      throw e;
    }
  }

  private void configure(QemuProcess.Started qemu, Optional<InitialProcess> initial) {
    try (OutputStream configuration = qemu.configuration();
        var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      state.running(qemu.process());
      var admission =
          CompletableFuture.runAsync(
              () -> spec.nics().forEach(environment.network()::admit), executor);
      var identity =
          CompletableFuture.supplyAsync(() -> environment.authority().issue(spec.id()), executor);
      admission.join();
      awaitListening(qemu);
      // Last of all, because it tells the time.
      byte[] process = initial.map(this::message).orElse(new byte[0]);
      configuration.write(AtomicFiles.json(BootConfiguration.of(spec, identity.join(), process)));
    } catch (IOException e) {
      LOG.debug("containerVM {}: QEMU took no configuration: {}", spec.id(), e.toString());
    } catch (CompletionException e) {
      throw e.getCause() instanceof PortLayerException cause ? cause : e;
    }
  }

  private byte[] message(InitialProcess initial) {
    byte[] message =
        TetherMessages.initialProcess(
            initial, Instant.now(), disk -> BootConfiguration.serial(spec, disk));
    return message.length > LARGEST_PROCESS ? new byte[0] : message;
  }

  /** A guest begins soon after: the time it is told then is nearly right. */
  private void awaitListening(QemuProcess.Started qemu) {
    long deadline = System.nanoTime() + LISTENING_DEADLINE_NANOS;
    while (!Files.exists(files.control())
        && qemu.process().alive()
        && System.nanoTime() - deadline < 0
        && !Thread.currentThread().isInterrupted()) {
      LockSupport.parkNanos(LISTENING_NANOS);
    }
  }

  /** A QEMU that was killed may have left half a line, to which the next would append. */
  private void endTornLines() {
    for (Path file : List.of(files.log(), files.state())) {
      try (RandomAccessFile content = new RandomAccessFile(file.toFile(), "rw")) {
        long length = content.length();
        if (length > 0) {
          content.seek(length - 1);
          if (content.read() != '\n') {
            content.write('\n');
          }
        }
      } catch (IOException e) {
        throw AtomicFiles.failure("write", file, e);
      }
    }
  }
}
