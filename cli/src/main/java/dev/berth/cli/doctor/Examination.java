package dev.berth.cli.doctor;

import dev.berth.cli.doctor.Finding.Verdict;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.local.host.HostCommands;
import dev.berth.portlayer.local.qemu.Accelerator;
import dev.berth.portlayer.local.qemu.AcceleratorProbe;
import dev.berth.portlayer.local.qemu.BootArtifact;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Looks at everything that containerVMs need. */
final class Examination {
  private static final List<List<String>> PROGRAMS =
      List.of(
          List.of("qemu-system-x86_64", "qemu-system-x86"),
          List.of("sqfstar", "squashfs-tools"),
          List.of("mkfs.ext4", "e2fsprogs"),
          List.of("ip", "iproute2"),
          List.of("nft", "nftables"));

  private static final String SLOWER =
      "containerVMs are emulated, several times slower; enable virtualization or use a machine with it";

  private Examination() {}

  /**
   * @param cache where the finding about the accelerator is kept
   */
  static List<Finding> of(Optional<Path> boot, Path cache) {
    List<Finding> findings = new ArrayList<>();
    findings.add(java());
    findings.add(root());
    PROGRAMS.forEach(program -> findings.add(program(program.getFirst(), program.getLast())));
    findings.add(
        boot.map(directory -> accelerator(directory, cache)).orElseGet(Examination::device));
    boot.ifPresent(directory -> findings.add(boot(directory)));
    return findings;
  }

  private static Finding java() {
    return new Finding(Verdict.GOOD, "Java", Runtime.version().toString(), "");
  }

  private static Finding root() {
    return "root".equals(System.getProperty("user.name"))
        ? new Finding(Verdict.GOOD, "privileges", "root", "")
        : new Finding(
            Verdict.MISSING, "privileges", "not root", "bridges and namespaces need it, use sudo");
  }

  private static Finding program(String name, String debianPackage) {
    String path = System.getenv().getOrDefault("PATH", "") + ":/usr/sbin:/sbin";
    return Stream.of(path.split(Pattern.quote(":"), -1))
        .filter(directory -> !directory.isEmpty())
        .map(directory -> Path.of(directory, name))
        .filter(Files::isExecutable)
        .findFirst()
        .map(found -> new Finding(Verdict.GOOD, name, found.toString(), ""))
        .orElse(
            new Finding(
                Verdict.MISSING, name, "is not in PATH", "apt-get install " + debianPackage));
  }

  /** The node's own test: only a kernel that starts under KVM proves it. */
  private static Finding accelerator(Path boot, Path cache) {
    try {
      BootArtifact artifact = BootArtifact.open(boot);
      Files.createDirectories(cache);
      AcceleratorProbe.Finding found =
          new AcceleratorProbe(new HostCommands(Optional.empty()), cache, artifact).find();
      String detail = found.accelerator() + ", because " + found.reason();
      return found.accelerator() == Accelerator.KVM
          ? new Finding(Verdict.GOOD, "accelerator", detail, "")
          : new Finding(Verdict.NOTE, "accelerator", detail, SLOWER);
    } catch (IOException | PortLayerException e) {
      return new Finding(
          Verdict.NOTE, "accelerator", "is not known: " + e.getMessage(), "see the other lines");
    }
  }

  private static Finding device() {
    return Files.isWritable(Path.of("/dev/kvm"))
        ? new Finding(Verdict.GOOD, "/dev/kvm", "is there; --boot puts it to the test", "")
        : new Finding(Verdict.NOTE, "/dev/kvm", "is not there", SLOWER);
  }

  private static Finding boot(Path directory) {
    return Files.isReadable(directory.resolve("boot.json"))
        ? new Finding(Verdict.GOOD, "boot artifact", directory.toString(), "")
        : new Finding(
            Verdict.MISSING, "boot artifact", directory + " holds no boot.json", "run iso-builder");
  }
}
