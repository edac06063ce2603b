package dev.berth.portlayer.local.network;

import dev.berth.portlayer.network.NicAttachment;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The VCH's packet filter as text for {@code nft}: one table, put in place in one transaction.
 *
 * <p>A pod can reach other pods of its network and whatever the host can reach; of the host itself
 * only the gateway's echo and the ports that were allowed. It cannot speak with another's address.
 */
record Firewall(
    String vch,
    List<BridgeNetwork> networks,
    List<HostPort> allowedHostPorts,
    List<VirtualPort> virtualPorts) {

  /** Replaces the table, whether or not there is one. */
  String replace(Collection<NicAttachment> endpoints) {
    return """
    table inet %1$s
    delete table inet %1$s
    table inet %1$s {
      set bridges {
        type ifname
        elements = { %2$s }
      }
      set endpoints {
        type ether_addr . ipv4_addr
    %3$s
      }
      set hostports {
        type ipv4_addr . inet_service
    %4$s
      }
      chain pinned {
        type filter hook prerouting priority raw; policy accept;
        iifname != @bridges accept
        ether type arp accept
        ether type != ip drop
        ether saddr . ip saddr != @endpoints drop
      }
      chain virtual {
        type nat hook prerouting priority dstnat; policy accept;
    %5$s
      }
      chain host {
        type filter hook input priority filter - 1; policy accept;
        iifname != @bridges accept
        ct state established,related accept
        ip daddr . tcp dport @hostports accept
    %6$s
        drop
      }
      chain routed {
        type filter hook forward priority filter - 1; policy accept;
    %7$s
      }
      chain redirects {
        type filter hook output priority filter; policy accept;
        oifname @bridges icmp type redirect drop
      }
      chain egress {
        type nat hook postrouting priority srcnat; policy accept;
    %8$s
      }
    }
    """
        .formatted(
            table(),
            join(networks.stream().map(network -> quoted(bridge(network)))),
            elements(endpoints.stream().map(Firewall::element)),
            elements(hostPorts().map(port -> port.address() + " . " + port.port())),
            lines(virtualPorts.stream().map(Firewall::virtual)),
            lines(networks.stream().flatMap(this::essentials)),
            lines(networks.stream().flatMap(this::apart)),
            lines(networks.stream().map(this::masquerade)));
  }

  String add(NicAttachment endpoint) {
    return "add element inet %s endpoints { %s }\n".formatted(table(), element(endpoint));
  }

  String remove(NicAttachment endpoint) {
    return "delete element inet %s endpoints { %s }\n".formatted(table(), element(endpoint));
  }

  /** Removes the table, whether or not there is one. */
  String removeAll() {
    return "table inet %1$s\ndelete table inet %1$s\n".formatted(table());
  }

  private String table() {
    return Names.table(vch);
  }

  private String bridge(BridgeNetwork network) {
    return Names.bridge(vch, network.name());
  }

  private Stream<HostPort> hostPorts() {
    return Stream.concat(allowedHostPorts.stream(), virtualPorts.stream().map(VirtualPort::target))
        .distinct();
  }

  private Stream<String> essentials(BridgeNetwork network) {
    String bridge = quoted(bridge(network));
    return Stream.concat(
        Stream.of(
            "iifname %s ip daddr %s icmp type echo-request accept"
                .formatted(bridge, network.gateway())),
        network.nameServers().stream()
            .map(
                server ->
                    "iifname %s ip daddr %s meta l4proto { tcp, udp } th dport 53 accept"
                        .formatted(bridge, server)));
  }

  /** Networks are apart from each other. */
  private Stream<String> apart(BridgeNetwork network) {
    String bridge = quoted(bridge(network));
    return networks.size() == 1
        ? Stream.empty()
        : Stream.of("iifname %1$s oifname @bridges oifname != %1$s drop".formatted(bridge));
  }

  private String masquerade(BridgeNetwork network) {
    return "iifname %1$s oifname != %1$s ip saddr %2$s masquerade"
        .formatted(quoted(bridge(network)), network.range());
  }

  private static String virtual(VirtualPort port) {
    return "iifname @bridges ip daddr %s tcp dport %d dnat ip to %s:%d"
        .formatted(port.address(), port.port(), port.target().address(), port.target().port());
  }

  private static String element(NicAttachment endpoint) {
    return endpoint.mac() + " . " + endpoint.primaryAddress();
  }

  private static String elements(Stream<String> all) {
    String joined = join(all);
    return joined.isEmpty() ? "" : "    elements = { " + joined + " }";
  }

  private static String join(Stream<String> all) {
    return all.collect(Collectors.joining(", "));
  }

  private static String lines(Stream<String> all) {
    return all.map(line -> "    " + line).collect(Collectors.joining("\n"));
  }

  private static String quoted(String name) {
    return '"' + name + '"';
  }
}
