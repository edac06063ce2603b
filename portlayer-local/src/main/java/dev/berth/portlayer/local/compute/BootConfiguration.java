package dev.berth.portlayer.local.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.tether.VchAuthority;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a guest is told at boot through the firmware device, as the tether reads it.
 *
 * @param memoryLimit bytes that the container may use of the VM's memory
 * @param entropy fresh for every boot: the guest has little of its own so early
 * @param process the tether's message of what it starts by itself; empty for nothing
 */
record BootConfiguration(
    int schema,
    String id,
    VchAuthority.Identity identity,
    String hostname,
    List<Interface> interfaces,
    List<Disk> disks,
    long memoryLimit,
    @SuppressWarnings("ArrayRecordComponent") byte[] entropy,
    @SuppressWarnings("ArrayRecordComponent") byte[] process) {
  private static final int SCHEMA = 1;
  private static final int ENTROPY_BYTES = 64;
  private static final SecureRandom RANDOM = new SecureRandom();

  record Interface(String mac, List<String> addresses, String gateway, int mtu) {}

  record Disk(String serial, String role) {}

  /** A disk and the serial number under which the guest sees it. */
  record NumberedDisk(DiskAttachment disk, String serial) {}

  static BootConfiguration of(
      ContainerVmSpec spec, VchAuthority.Identity identity, byte[] process) {
    byte[] entropy = new byte[ENTROPY_BYTES];
    RANDOM.nextBytes(entropy);
    return new BootConfiguration(
        SCHEMA,
        spec.id(),
        identity,
        spec.hostname(),
        spec.nics().stream().map(BootConfiguration::nic).toList(),
        disks(spec).stream()
            .map(
                numbered ->
                    new Disk(
                        numbered.serial(), numbered.disk().role().name().toLowerCase(Locale.ROOT)))
            .toList(),
        spec.resources().memoryLimit(),
        entropy,
        process);
  }

  /** The disks in the order of the specification. */
  static List<NumberedDisk> disks(ContainerVmSpec spec) {
    List<NumberedDisk> numbered = new ArrayList<>();
    int volumes = 0;
    for (DiskAttachment disk : spec.disks()) {
      numbered.add(
          new NumberedDisk(
              disk,
              switch (disk.role()) {
                case IMAGE -> "image";
                case SCRATCH -> "scratch";
                case VOLUME -> "volume-" + volumes++;
              }));
    }
    return numbered;
  }

  /** The serial number of a disk of the specification, by its id. */
  static String serial(ContainerVmSpec spec, String diskId) {
    return disks(spec).stream()
        .filter(numbered -> numbered.disk().id().equals(diskId))
        .map(NumberedDisk::serial)
        .findFirst()
        .orElseThrow(
            () ->
                new PortLayerException(
                    Code.INVALID_ARGUMENT,
                    "containerVM %s has no disk %s".formatted(spec.id(), diskId)));
  }

  private static Interface nic(NicAttachment nic) {
    return new Interface(nic.mac(), nic.addresses(), nic.gateway(), nic.mtu());
  }

  @Override
  public String toString() {
    return "BootConfiguration[" + id + "]";
  }
}
