package dev.berth.portlayer.network;

import dev.berth.portlayer.Identifiers;
import java.util.List;
import java.util.Objects;

/**
 * A network interface as it goes into a containerVM's specification.
 *
 * @param id the endpoint's identity, the caller's
 * @param network the network's name
 * @param mac in colon notation, lower case
 * @param addresses in CIDR notation, IPv4 first
 * @param gateway the default route's next hop
 * @param mtu bytes
 */
public record NicAttachment(
    String id, String network, String mac, List<String> addresses, String gateway, int mtu) {
  public NicAttachment {
    Identifiers.check("endpoint id", id);
    Objects.requireNonNull(network, "network");
    Objects.requireNonNull(mac, "mac");
    addresses = List.copyOf(addresses);
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException("an endpoint has at least one address");
    }
  }

  /** The first address, without its prefix length. */
  public String primaryAddress() {
    return addresses.getFirst().substring(0, addresses.getFirst().indexOf('/'));
  }
}
