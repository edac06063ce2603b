package dev.berth.portlayer.local.network;

import dev.berth.portlayer.Identifiers;
import dev.berth.portlayer.network.Subnet;
import java.util.List;

/**
 * One container network as configured. Its gateway is the subnet's first address, on a bridge of
 * the host.
 *
 * @param subnet in CIDR notation, as {@code 10.222.0.0/16}; must not overlap another network's
 * @param nameServers addresses of DNS servers; one that is the host's own is opened to the pods
 * @param mtu bytes, 576 to 65535
 */
public record BridgeNetwork(String name, String subnet, List<String> nameServers, int mtu) {
  public BridgeNetwork {
    Identifiers.check("network name", name);
    Subnet.parse("network " + name + " subnet", subnet);
    nameServers = List.copyOf(nameServers);
    for (String server : nameServers) {
      Subnet.address("network " + name + " name server", server);
    }
    if (mtu < 576 || mtu > 65535) {
      throw new IllegalArgumentException(
          "network %s mtu must be 576 to 65535, but is %d".formatted(name, mtu));
    }
  }

  /**
   * Checks networks that stand side by side.
   *
   * @throws IllegalArgumentException when two have one name or overlap
   */
  public static void requireApart(List<BridgeNetwork> networks) {
    for (int i = 0; i < networks.size(); i++) {
      for (BridgeNetwork other : networks.subList(0, i)) {
        BridgeNetwork network = networks.get(i);
        if (network.name().equals(other.name()) || network.range().overlaps(other.range())) {
          throw new IllegalArgumentException(
              "networks %s (%s) and %s (%s): names must differ and subnets must not overlap"
                  .formatted(other.name(), other.subnet(), network.name(), network.subnet()));
        }
      }
    }
  }

  Subnet range() {
    return Subnet.parse("subnet", subnet);
  }

  String gateway() {
    return Subnet.text(range().first());
  }

  int capacity() {
    return (int) Math.min(Integer.MAX_VALUE, range().last() - range().first());
  }
}
