package dev.berth.portlayer.local.network;

import dev.berth.portlayer.network.Subnet;

/**
 * A TCP address that exists only for pods: connections to it go to a real one. Where that is the
 * host's own, it is opened to the pods as an allowed host port is.
 *
 * @param address the address that pods use, such as that of the {@code kubernetes} service
 */
public record VirtualPort(String address, int port, HostPort target) {
  public VirtualPort {
    Subnet.address("virtual address", address);
    HostPort.checkPort("virtual port", port);
  }
}
