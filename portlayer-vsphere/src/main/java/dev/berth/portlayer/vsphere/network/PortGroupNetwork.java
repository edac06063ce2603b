package dev.berth.portlayer.vsphere.network;

import dev.berth.portlayer.Identifiers;
import dev.berth.portlayer.network.ContainerNetwork;
import dev.berth.portlayer.network.Subnet;
import java.util.List;

/**
 * One container network: a port group, and the addresses on it that are the VCH's to give out.
 *
 * @param portGroup its name in the datacenter; of a standard switch or a distributed one
 * @param subnet in CIDR notation
 * @param gateway the router to everything else; never given out
 * @param first the first address that is the VCH's
 * @param last the last one
 * @param nameServers addresses of DNS servers
 * @param mtu bytes, 576 to 9000
 */
public record PortGroupNetwork(
    String name,
    String portGroup,
    String subnet,
    String gateway,
    String first,
    String last,
    List<String> nameServers,
    int mtu) {
  public PortGroupNetwork {
    Identifiers.check("network name", name);
    String field = "network " + name + " ";
    Subnet range = Subnet.parse(field + "subnet", subnet);
    nameServers = List.copyOf(nameServers);
    nameServers.forEach(server -> Subnet.address(field + "name server", server));
    requireIn(field + "gateway", range, gateway);
    requireIn(field + "first", range, first);
    requireIn(field + "last", range, last);
    if (Subnet.address("first", first) > Subnet.address("last", last)) {
      throw new IllegalArgumentException(
          "%sfirst %s is behind last %s".formatted(field, first, last));
    }
    if (mtu < 576 || mtu > 9000) {
      throw new IllegalArgumentException(
          "%smtu must be 576 to 9000, but is %d".formatted(field, mtu));
    }
  }

  private static void requireIn(String field, Subnet range, String text) {
    long address = Subnet.address(field, text);
    if (address < range.first() || address > range.last()) {
      throw new IllegalArgumentException(
          "%s \"%s\": must be an address of %s".formatted(field, text, range));
    }
  }

  long firstAddress() {
    return Subnet.address("first", first);
  }

  long lastAddress() {
    return Subnet.address("last", last);
  }

  boolean isGateway(long address) {
    return address == Subnet.address("gateway", gateway);
  }

  int prefix() {
    return Subnet.parse("subnet", subnet).prefix();
  }

  ContainerNetwork describe() {
    long gatewayAddress = Subnet.address("gateway", gateway);
    boolean inside = gatewayAddress >= firstAddress() && gatewayAddress <= lastAddress();
    long room = lastAddress() - firstAddress() + (inside ? 0 : 1);
    return new ContainerNetwork(
        name, subnet, gateway, nameServers, mtu, (int) Math.min(Integer.MAX_VALUE, room));
  }
}
