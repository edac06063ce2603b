package dev.berth.portlayer.vsphere.network;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.Backing;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.DVPortgroupConfigInfo;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.DistributedVirtualSwitchPortConnection;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualEthernetCardDistributedVirtualPortBackingInfo;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.VirtualEthernetCardNetworkBackingInfo;
import java.util.Optional;

/** What a VM's interface is plugged into. */
public final class PortGroups {
  private PortGroups() {}

  /**
   * The backing of interfaces on a port group.
   *
   * @param network of a standard or a distributed switch
   * @throws PortLayerException UNSUPPORTED when it is of another kind
   * @throws dev.berth.portlayer.vsphere.client.VimFault when it is not there
   */
  public static Backing backing(VimClient client, ManagedObjectReference network) {
    return switch (network.type()) {
      case "Network" ->
          new VirtualEthernetCardNetworkBackingInfo(
              require(network, client.property(network, "name", String.class)), network);
      case "DistributedVirtualPortgroup" -> distributed(client, network);
      default ->
          throw new PortLayerException(
              Code.UNSUPPORTED,
              "%s is no port group of a standard or distributed switch".formatted(network));
    };
  }

  private static Backing distributed(VimClient client, ManagedObjectReference portGroup) {
    DVPortgroupConfigInfo config =
        require(portGroup, client.property(portGroup, "config", DVPortgroupConfigInfo.class));
    ManagedObjectReference of =
        require(portGroup, Optional.ofNullable(config.distributedVirtualSwitch()));
    return new VirtualEthernetCardDistributedVirtualPortBackingInfo(
        new DistributedVirtualSwitchPortConnection(
            require(of, client.property(of, "uuid", String.class)), config.key(), null));
  }

  private static <T> T require(ManagedObjectReference object, Optional<T> value) {
    return value.orElseThrow(
        () -> new PortLayerException(Code.INTERNAL, object + " lacks a property"));
  }
}
