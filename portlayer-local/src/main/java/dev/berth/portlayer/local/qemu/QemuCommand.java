package dev.berth.portlayer.local.qemu;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The command line of one containerVM's QEMU. Pure: what it needs to know of the host is given.
 *
 * @param name shown by the host's tools, for people
 * @param memoryMebibytes of the guest
 * @param user number of the unprivileged user and group that QEMU becomes once it has opened all
 * @param tscKilohertz rate of the host's time-stamp counter, 0 when unknown
 */
public record QemuCommand(
    String name,
    BootArtifact artifact,
    Accelerator accelerator,
    int cpus,
    long memoryMebibytes,
    int user,
    long tscKilohertz,
    Files files,
    List<Disk> disks,
    List<Nic> nics) {
  /** virtio-mmio has no more places on a microvm. */
  private static final int MICROVM_DEVICES = 8;

  public QemuCommand {
    disks = List.copyOf(disks);
    nics = List.copyOf(nics);
  }

  /**
   * Where QEMU's other ends are. The sockets' paths must not be longer than 107 bytes. What the
   * firmware device hands to the guest comes by QEMU's standard input, so that it is in no file.
   */
  public record Files(
      Path console, Path log, Path state, Path control, Path monitor, Path processId) {}

  /**
   * @param scratch whether its content may be lost with the host
   */
  public record Disk(String serial, Path file, boolean readOnly, boolean scratch) {}

  /**
   * @param tap the interface that QEMU makes on the host and that goes with it
   */
  public record Nic(String tap, String mac, int mtu) {}

  /** How many disks and NICs together a machine can have. */
  public static int deviceLimit(BootArtifact.Machine machine) {
    return machine == BootArtifact.Machine.MICROVM ? MICROVM_DEVICES - 1 : 24;
  }

  /** The words of the command, the program first. */
  public List<String> line() {
    List<String> line = new ArrayList<>(List.of("qemu-system-x86_64", "-name", "guest=" + name));
    machine(line);
    privileges(line);
    line.addAll(List.of("-kernel", artifact.kernel().toString()));
    line.addAll(List.of("-initrd", artifact.initramfs().toString()));
    line.addAll(List.of("-append", kernelArguments()));
    line.addAll(List.of("-fw_cfg", "name=opt/dev.berth/config,file=/dev/stdin"));
    ports(line);
    disks.forEach(disk -> disk(line, disk));
    nics.forEach(nic -> nic(line, nic));
    return line;
  }

  private void machine(List<String> line) {
    line.addAll(artifact.machine().options());
    line.addAll(
        switch (accelerator) {
          case KVM -> List.of("-accel", "kvm", "-cpu", "host");
          // A processor of a family that has none of the faults which the kernel works around.
          case TCG ->
              List.of("-accel", "tcg,thread=multi", "-cpu", "max,family=26,model=2,stepping=1");
        });
    line.addAll(List.of("-smp", Integer.toString(cpus), "-m", Long.toString(memoryMebibytes)));
    line.addAll(
        List.of("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-pidfile"));
    line.add(files.processId().toString());
  }

  /** Becoming another user needs the one privilege that the filter would otherwise deny. */
  private void privileges(List<String> line) {
    line.addAll(
        List.of(
            "-sandbox",
            "on,obsolete=deny,elevateprivileges=allow,spawn=deny,resourcecontrol=deny",
            "-runas",
            user + ":" + user));
  }

  private String kernelArguments() {
    StringBuilder arguments = new StringBuilder(artifact.arguments()).append(" console=ttyS0");
    if (accelerator == Accelerator.TCG) {
      // With one CPU the other timer serves, which costs no calibration; on microvm nothing that
      // sleeps would wake.
      if (cpus == 1 && artifact.machine() == BootArtifact.Machine.PC) {
        arguments.append(" nolapic_timer");
      }
      if (tscKilohertz > 0) {
        arguments.append(" tsc_early_khz=").append(tscKilohertz);
      }
    }
    return arguments.toString();
  }

  private void ports(List<String> line) {
    line.addAll(List.of("-serial", "file:" + files.console()));
    // Without it the guest's writes to two ports reach the host in the order they were made, so
    // that
    // a log is complete before the state tells that its attempt is over.
    if (artifact.machine() == BootArtifact.Machine.PC) {
      line.addAll(List.of("-device", "virtio-serial-pci,ioeventfd=off"));
    } else {
      line.addAll(List.of("-global", "virtio-mmio.ioeventfd=off"));
      line.addAll(List.of("-device", "virtio-serial-device"));
    }
    port(line, "log", "file,id=log,append=on,path=" + escaped(files.log()));
    port(line, "state", "file,id=state,append=on,path=" + escaped(files.state()));
    port(line, "control", "socket,id=control,server=on,wait=off,path=" + escaped(files.control()));
    line.addAll(List.of("-qmp", "unix:" + escaped(files.monitor()) + ",server=on,wait=off"));
  }

  private static void port(List<String> line, String id, String backend) {
    line.addAll(List.of("-chardev", backend, "-device"));
    line.add("virtserialport,chardev=" + id + ",name=dev.berth." + id);
  }

  /** A full host makes the guest's write fail, instead of stopping the guest without a word. */
  private void disk(List<String> line, Disk disk) {
    StringBuilder drive =
        new StringBuilder("if=none,id=").append(disk.serial()).append(",format=raw");
    if (disk.readOnly()) {
      drive.append(",readonly=on");
    } else {
      drive.append(",discard=unmap,detect-zeroes=unmap,werror=report,rerror=report");
      if (disk.scratch()) {
        drive.append(",cache=unsafe");
      }
    }
    line.addAll(List.of("-drive", drive.append(",file=").append(escaped(disk.file())).toString()));
    line.addAll(
        List.of(
            "-device",
            device("virtio-blk") + ",drive=" + disk.serial() + ",serial=" + disk.serial()));
  }

  private void nic(List<String> line, Nic nic) {
    line.addAll(
        List.of("-netdev", "tap,id=%1$s,ifname=%1$s,script=no,downscript=no".formatted(nic.tap())));
    line.addAll(
        List.of("-device", device("virtio-net") + ",netdev=" + nic.tap() + ",mac=" + nic.mac()));
  }

  private String device(String kind) {
    return kind + (artifact.machine() == BootArtifact.Machine.PC ? "-pci" : "-device");
  }

  /** In QEMU's options a comma ends a value, and two are one. */
  private static String escaped(Path path) {
    return path.toString().replace(",", ",,");
  }
}
