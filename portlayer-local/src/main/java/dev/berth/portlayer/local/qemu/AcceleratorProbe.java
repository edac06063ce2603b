package dev.berth.portlayer.local.qemu;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.FileWatcher;
import dev.berth.portlayer.local.host.HostCommands;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses the accelerator by proof: a device node says little, so the containerVMs' own kernel must
 * begin to run under KVM. The answer is kept as long as QEMU, both kernels and the processor are
 * the same.
 */
public final class AcceleratorProbe {
  private static final Logger LOG = LoggerFactory.getLogger(AcceleratorProbe.class);

  /** A working KVM needs a small part of a second. */
  private static final Duration PATIENCE = Duration.ofSeconds(8);

  private static final String FIRST_WORDS = "Linux version";

  private final HostCommands commands;
  private final Path directory;
  private final BootArtifact artifact;

  public AcceleratorProbe(HostCommands commands, Path directory, BootArtifact artifact) {
    this.commands = commands;
    this.directory = directory;
    this.artifact = artifact;
  }

  /**
   * What was found out.
   *
   * @param qemu QEMU's version
   * @param reason why not KVM, or how it was proved; for people
   */
  public record Finding(
      Accelerator accelerator,
      String reason,
      String qemu,
      String hostKernel,
      String guestKernel,
      String processor) {
    private boolean holdsFor(Finding now) {
      return qemu.equals(now.qemu)
          && hostKernel.equals(now.hostKernel)
          && guestKernel.equals(now.guestKernel)
          && processor.equals(now.processor);
    }

    private Finding with(Accelerator found, String why) {
      return new Finding(found, why, qemu, hostKernel, guestKernel, processor);
    }
  }

  /** The kept finding, or a new one. */
  public Finding find() {
    Finding now =
        new Finding(
            Accelerator.TCG,
            "",
            qemuVersion(),
            Host.kernel(),
            artifact.kernelVersion() + " " + artifact.machine(),
            Host.processor());
    Path file = directory.resolve("accelerator.json");
    Finding kept = AtomicFiles.read(file, Finding.class).orElse(null);
    if (kept != null && kept.holdsFor(now)) {
      return kept;
    }
    Finding found = probe(now);
    LOG.info("Accelerator {}: {}", found.accelerator(), found.reason());
    AtomicFiles.write(file, found);
    return found;
  }

  private Finding probe(Finding now) {
    Path device = Path.of("/dev/kvm");
    if (!Files.exists(device)) {
      return now.with(Accelerator.TCG, "there is no /dev/kvm");
    }
    if (!Files.isWritable(device)) {
      return now.with(Accelerator.TCG, "/dev/kvm may not be written by this user");
    }
    try {
      Path console = Files.createTempFile(directory, "probe", ".console");
      try {
        return boot(now, console);
      } finally {
        Files.deleteIfExists(console);
      }
    } catch (IOException e) {
      throw AtomicFiles.failure("write the probe's console in", directory, e);
    } catch (InterruptedException e) {
      throw PortLayerException.interrupted("probing KVM", e);
    }
  }

  private Finding boot(Finding now, Path console) throws IOException, InterruptedException {
    Process qemu =
        new ProcessBuilder(line(console))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(console.toFile()))
            .start();
    Semaphore news = new Semaphore(0);
    var _ = qemu.onExit().thenRun(news::release);
    try (FileWatcher watcher = new FileWatcher();
        FileWatcher.Watch watch = watcher.watch(directory, news::release)) {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (true) {
        if (text(console).contains(FIRST_WORDS)) {
          return now.with(
              Accelerator.KVM, "kernel " + artifact.kernelVersion() + " started under KVM");
        }
        if (!qemu.isAlive()) {
          return now.with(Accelerator.TCG, "QEMU refused KVM: " + lastLine(text(console)));
        }
        if (!news.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
          return now.with(
              Accelerator.TCG,
              "kernel %s did not start under KVM within %d s"
                  .formatted(artifact.kernelVersion(), PATIENCE.toSeconds()));
        }
      }
    } finally {
      qemu.destroyForcibly();
    }
  }

  private List<String> line(Path console) {
    List<String> line = new ArrayList<>(List.of("qemu-system-x86_64"));
    line.addAll(artifact.machine().options());
    line.addAll(List.of("-accel", "kvm", "-cpu", "host", "-m", "128"));
    line.addAll(List.of("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"));
    line.addAll(List.of("-kernel", artifact.kernel().toString()));
    line.addAll(List.of("-append", "panic=-1 console=ttyS0 earlyprintk=ttyS0"));
    line.addAll(List.of("-serial", "file:" + console));
    return line;
  }

  private String qemuVersion() {
    String text = commands.run(List.of("qemu-system-x86_64", "--version"));
    return text.lines()
        .findFirst()
        .map(line -> line.replaceFirst("^QEMU emulator version (\\S+).*$", "$1"))
        .orElseThrow(
            () -> new PortLayerException(Code.UNSUPPORTED, "QEMU does not tell its version"));
  }

  private static String text(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.ISO_8859_1);
  }

  private static String lastLine(String text) {
    return text.strip().lines().reduce((first, second) -> second).orElse("no message");
  }
}
