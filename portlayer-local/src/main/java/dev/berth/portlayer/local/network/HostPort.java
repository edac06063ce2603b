package dev.berth.portlayer.local.network;

import dev.berth.portlayer.network.Subnet;

/**
 * A TCP port of the host that pods may reach, although the host is closed to them otherwise.
 *
 * @param address one of the host's IPv4 addresses
 */
public record HostPort(String address, int port) {
  public HostPort {
    checkPort("allowed host port", port);
    if (Subnet.address("allowed host port's address", address) >> 24 == 127) {
      throw new IllegalArgumentException(
          "allowed host port's address %s: a pod cannot reach the host's loopback; name an address of an interface"
              .formatted(address));
    }
  }

  static void checkPort(String field, int port) {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("%s must be 1 to 65535, but is %d".formatted(field, port));
    }
  }
}
