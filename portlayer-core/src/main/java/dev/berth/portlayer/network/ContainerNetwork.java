package dev.berth.portlayer.network;

import java.util.List;
import java.util.Objects;

/**
 * A named network on which containerVMs can have endpoints: a port group on vSphere, a bridge
 * locally.
 *
 * @param subnet in CIDR notation
 * @param gateway the address of the router to everything else
 * @param nameServers addresses of DNS servers that endpoints can reach; may be empty
 * @param mtu bytes
 * @param capacity how many endpoints fit
 */
public record ContainerNetwork(
    String name, String subnet, String gateway, List<String> nameServers, int mtu, int capacity) {
  public ContainerNetwork {
    Objects.requireNonNull(name, "name");
    nameServers = List.copyOf(nameServers);
  }
}
