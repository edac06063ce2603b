package dev.berth.portlayer.local.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class QemuCommandTest {
  private static final Path VM = Path.of("/vch/vms/group/web");

  @Test
  void anEmulatedPcWithEveryDevice() {
    assertEquals(
        """
        qemu-system-x86_64 -name guest=web -machine pc,hpet=off,usb=off,vmport=off,smbus=off \
        -accel tcg,thread=multi -cpu max,family=26,model=2,stepping=1 -smp 1 -m 192 \
        -nodefaults -no-user-config -display none -no-reboot -pidfile /vch/vms/group/web/qemu.pid \
        -sandbox on,obsolete=deny,elevateprivileges=allow,spawn=deny,resourcecontrol=deny \
        -runas 1000000007:1000000007 -kernel /boot/kernel -initrd /boot/initramfs \
        -append quiet console=ttyS0 nolapic_timer tsc_early_khz=2500000 \
        -fw_cfg name=opt/dev.berth/config,file=/dev/stdin \
        -serial file:/vch/vms/group/web/console.log -device virtio-serial-pci,ioeventfd=off \
        -chardev file,id=log,append=on,path=/vch/vms/group/web/log/container.log \
        -device virtserialport,chardev=log,name=dev.berth.log \
        -chardev file,id=state,append=on,path=/vch/vms/group/web/state.jsonl \
        -device virtserialport,chardev=state,name=dev.berth.state \
        -chardev socket,id=control,server=on,wait=off,path=/run/berth/1.control \
        -device virtserialport,chardev=control,name=dev.berth.control \
        -qmp unix:/run/berth/1.monitor,server=on,wait=off \
        -drive if=none,id=image,format=raw,readonly=on,file=/images/a.squashfs \
        -device virtio-blk-pci,drive=image,serial=image \
        -drive if=none,id=scratch,format=raw,discard=unmap,detect-zeroes=unmap,werror=report,rerror=report,cache=unsafe,file=/disks/a,,b.scratch \
        -device virtio-blk-pci,drive=scratch,serial=scratch \
        -netdev tap,id=bt1,ifname=bt1,script=no,downscript=no \
        -device virtio-net-pci,netdev=bt1,mac=52:54:0a:de:00:02\
        """,
        String.join(" ", command(BootArtifact.Machine.PC, Accelerator.TCG, 1).line()));
  }

  @Test
  void aMicrovmUnderKvmHasItsOwnDevicesAndTheHostsProcessor() {
    String line =
        String.join(" ", command(BootArtifact.Machine.MICROVM, Accelerator.KVM, 2).line());

    assertTrue(line.contains("-machine microvm,acpi=on"), line);
    assertTrue(line.contains("-accel kvm -cpu host -smp 2"), line);
    assertTrue(line.contains("virtio-blk-device,drive=image"), line);
    assertFalse(line.contains("-pci"), line);
    assertFalse(line.contains("tsc_early_khz"), line);
  }

  @Test
  void severalEmulatedProcessorsKeepTheTimerOfEach() {
    String line = String.join(" ", command(BootArtifact.Machine.PC, Accelerator.TCG, 2).line());

    assertFalse(line.contains("nolapic_timer"), line);
  }

  private static QemuCommand command(
      BootArtifact.Machine machine, Accelerator accelerator, int cpus) {
    return new QemuCommand(
        "web",
        new BootArtifact(
            Path.of("/boot/kernel"),
            Path.of("/boot/initramfs"),
            "6.1",
            "debian",
            machine,
            "quiet",
            64),
        accelerator,
        cpus,
        192,
        1_000_000_007,
        2_500_000,
        new QemuCommand.Files(
            VM.resolve("console.log"),
            VM.resolve("log/container.log"),
            VM.resolve("state.jsonl"),
            Path.of("/run/berth/1.control"),
            Path.of("/run/berth/1.monitor"),
            VM.resolve("qemu.pid")),
        List.of(
            new QemuCommand.Disk("image", Path.of("/images/a.squashfs"), true, false),
            new QemuCommand.Disk("scratch", Path.of("/disks/a,b.scratch"), false, true)),
        List.of(new QemuCommand.Nic("bt1", "52:54:0a:de:00:02", 1500)));
  }
}
