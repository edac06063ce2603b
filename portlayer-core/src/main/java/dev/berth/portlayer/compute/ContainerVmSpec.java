package dev.berth.portlayer.compute;

import dev.berth.portlayer.Identifiers;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Everything that makes a containerVM, immutable once created. Holds no secret: what the process is
 * told comes with {@link ComputeService#powerOn} or {@link ComputeService#startProcess}.
 *
 * @param id the caller's identity for the VM, unique in the VCH
 * @param hostname its host name, a DNS label
 * @param imageId the id of the image its image disk was made from, so that it is known to be in use
 * @param disks one IMAGE and one SCRATCH disk, and any number of volumes in the order of their
 *     serial numbers {@code volume-0}, …
 * @param nics may be empty
 * @param labels the personality's own words, kept with the VM
 */
public record ContainerVmSpec(
    String id,
    String hostname,
    Resources resources,
    String imageId,
    List<DiskAttachment> disks,
    List<NicAttachment> nics,
    Map<String, String> labels) {
  public ContainerVmSpec {
    Identifiers.check("containerVM id", id);
    Objects.requireNonNull(hostname, "hostname");
    Objects.requireNonNull(resources, "resources");
    Objects.requireNonNull(imageId, "imageId");
    disks = List.copyOf(disks);
    nics = List.copyOf(nics);
    labels = Map.copyOf(labels);
    requireOne(disks, DiskAttachment.Role.IMAGE);
    requireOne(disks, DiskAttachment.Role.SCRATCH);
  }

  private static void requireOne(List<DiskAttachment> disks, DiskAttachment.Role role) {
    long count = disks.stream().filter(disk -> disk.role() == role).count();
    if (count != 1) {
      throw new IllegalArgumentException(
          "a containerVM has one %s disk, but %d were given".formatted(role, count));
    }
  }
}
