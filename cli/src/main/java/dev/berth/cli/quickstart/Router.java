package dev.berth.cli.quickstart;

import dev.berth.portlayer.local.network.VirtualPort;
import java.util.List;
import java.util.Optional;

/**
 * The router of the vCenter lab's port groups, which on a real network is the administrator's: pods
 * reach the world and the Kubernetes API through it, and nothing else of the installation.
 *
 * <p>On the control network it is what a firewall of the control plane's machine is: nobody begins
 * a connection from there.
 *
 * @param kubernetes the service {@code kubernetes}
 */
record Router(HostNetwork network, Addresses addresses, Optional<VirtualPort> kubernetes) {
  /** The bridges that the lab makes for port groups; nobody else is in the namespace. */
  private static final String PORT_GROUPS = "\"vb*\"";

  /** Before the lab makes its first bridge. Idempotent. */
  void up() {
    // The bridges inherit it.
    network.run(List.of("sysctl", "-qw", "net.ipv4.conf.default.forwarding=1"), "");
    network.run(List.of("nft", "-f", "-"), rules());
  }

  private String rules() {
    return """
    table inet router
    delete table inet router
    table inet router {
      chain genuine {
        type filter hook prerouting priority raw; policy accept;
        iifname %1$s meta nfproto ipv6 drop
        iifname %1$s ip saddr != %2$s drop
      }
      chain virtual {
        type nat hook prerouting priority dstnat; policy accept;
        %3$s
      }
      chain control {
        ct state established,related accept
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
        drop
      }
      chain host {
        type filter hook input priority filter; policy accept;
        iifname %7$s jump control
        iifname != %1$s accept
        ct state established,related accept
        ip daddr %4$s icmp type echo-request accept
        %5$s
        drop
      }
      chain routed {
        type filter hook forward priority filter; policy accept;
        iifname %7$s drop
        iifname != %1$s accept
        ct state established,related accept
        %5$s
        ip daddr %6$s drop
      }
      chain egress {
        type nat hook postrouting priority srcnat; policy accept;
        iifname %1$s oifname != %1$s masquerade
      }
    }
    """
        .formatted(
            PORT_GROUPS,
            addresses.pods(),
            virtual(),
            addresses.gateway(),
            open(),
            addresses.link(),
            "\"" + VcenterLab.CONTROL_INTERFACE + "\"");
  }

  private String virtual() {
    return kubernetes
        .map(
            service ->
                "iifname %s ip daddr %s tcp dport %d dnat ip to %s:%d"
                    .formatted(
                        PORT_GROUPS,
                        service.address(),
                        service.port(),
                        service.target().address(),
                        service.target().port()))
        .orElse("");
  }

  private String open() {
    return kubernetes
        .map(
            service ->
                "ip daddr %s tcp dport %d accept"
                    .formatted(service.target().address(), service.target().port()))
        .orElse("");
  }
}
