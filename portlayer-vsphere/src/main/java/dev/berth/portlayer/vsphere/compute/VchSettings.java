package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.vsphere.client.DatastorePath;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.Backing;
import java.net.URI;
import java.util.Map;
import java.util.Optional;

/**
 * What every containerVM of a VCH has in common.
 *
 * @param name the VCH's
 * @param cluster the owner of the pool: a cluster, or a host alone
 * @param root the VCH's folder on the datastore
 * @param iso the bootstrap image
 * @param authority the certificate, in PEM, by which a guest knows its control plane
 * @param control where the hypervisor's serial ports dial to
 * @param megahertz of one core of the hosts
 * @param overheadMebibytes of memory that a guest's kernel and tether need beside the container
 * @param networks what stands behind each container network
 * @param controlNetwork what stands behind the interfaces that are the control plane's
 */
public record VchSettings(
    String name,
    ManagedObjectReference datacenter,
    ManagedObjectReference cluster,
    ManagedObjectReference pool,
    ManagedObjectReference folder,
    DatastorePath root,
    DatastorePath iso,
    String authority,
    URI control,
    int megahertz,
    int overheadMebibytes,
    Map<String, Backing> networks,
    Optional<Backing> controlNetwork) {
  public VchSettings {
    networks = Map.copyOf(networks);
  }

  /** Where the VMs' own files are. */
  DatastorePath vms() {
    return root.resolve("vms");
  }

  /** The folder of one VM's own files. */
  DatastorePath files(String containerVmId) {
    return vms().resolve(containerVmId);
  }

  /** What the hypervisor writes of a containerVM's log port. */
  public DatastorePath log(String containerVmId) {
    return files(containerVmId).resolve("container.log");
  }
}
