package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.util.Optional;

/**
 * One VM of a VCH.
 *
 * @param seen its containerVM
 * @param certificate the fingerprint of the certificate that the guest has made; may be an earlier
 *     boot's
 * @param told whether vCenter still has words of a guest, of this boot or an earlier one
 * @param message of a guest that gave up
 */
record Member(
    ManagedObjectReference vm,
    VmRecord record,
    ContainerVm seen,
    Optional<String> certificate,
    boolean told,
    String message) {
  String id() {
    return record.vm().id();
  }

  String groupId() {
    return record.group().id();
  }

  PowerState power() {
    return seen.power();
  }
}
