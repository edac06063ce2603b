package dev.berth.cli.quickstart;

import dev.berth.portlayer.local.network.HostPort;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The installation's network namespace and its link to the host. Everything of the installation is
 * in the namespace, so removing it removes bridges, taps and packet filters at once; on the host
 * there are only a veth, a route and one nft table.
 */
final class HostNetwork {
  private final String name;
  private final Addresses addresses;
  private final NamedNamespace namespace;

  private final List<HostPort> open;

  HostNetwork(String name, Addresses addresses) {
    this(name, addresses, List.of());
  }

  /**
   * @param open ports of the host that may be reached from inside all the same
   */
  HostNetwork(String name, Addresses addresses, List<HostPort> open) {
    this.name = name;
    this.addresses = addresses;
    this.open = List.copyOf(open);
    this.namespace = new NamedNamespace(name);
  }

  /** The command line that runs a program inside. */
  List<String> inside(List<String> command) {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
    all.addAll(command);
    return all;
  }

  /** Idempotent. */
  void up() {
    boolean linked = Shell.succeeds("ip", "link", "show", "dev", name);
    if (!linked) {
      requireFree();
    }
    namespace.add();
    if (!linked) {
      Shell.require(
          "ip", "link", "add", name, "type", "veth", "peer", "name", "uplink", "netns", name);
    }
    Shell.require("ip", "address", "replace", addresses.host() + "/30", "dev", name);
    Shell.require("ip", "link", "set", name, "up");
    inNamespace("ip", "link", "set", "lo", "up");
    inNamespace("ip", "address", "replace", addresses.inside() + "/30", "dev", "uplink");
    inNamespace("ip", "link", "set", "uplink", "up");
    inNamespace("ip", "route", "replace", "default", "via", addresses.host());
    inNamespace("sysctl", "-qw", "net.ipv4.conf.uplink.forwarding=1");
    Shell.require("ip", "route", "replace", addresses.all(), "via", addresses.inside());
    Shell.require("sysctl", "-qw", "net.ipv4.conf.%s.forwarding=1".formatted(name));
    UplinkForwarding.ofDefaultRoute().ifPresent(uplink -> uplink.require(name));
    filter();
  }

  /** An installation keeps its addresses; while it was stopped, another may have taken them. */
  private void requireFree() {
    String routes = Shell.require("ip", "-4", "route", "show", "root", addresses.all());
    if (!routes.isEmpty()) {
      throw new QuickstartException(
          "%s, the addresses that %s has always had, are used by another installation or network (%s): stop that, or begin anew with another --directory"
              .formatted(addresses.all(), name, routes.lines().findFirst().orElse("").strip()));
    }
  }

  private void inNamespace(String... command) {
    run(List.of(command), "");
  }

  /** Runs a short command inside, which must succeed; returns what it printed. */
  String run(List<String> command, String input) {
    return Shell.require(inside(command), input);
  }

  /**
   * Masquerades what leaves, and lets neither the world begin a connection to a pod nor a pod one
   * to the host's own services.
   */
  private void filter() {
    String rules =
        """
        table inet %1$s
        delete table inet %1$s
        table inet %1$s {
          chain input {
            type filter hook input priority filter; policy accept;
            iifname "%1$s" ct state established,related accept
            %3$s
            iifname "%1$s" drop
          }
          chain forward {
            type filter hook forward priority filter; policy accept;
            oifname "%1$s" ct state established,related accept
            oifname "%1$s" drop
          }
          chain postrouting {
            type nat hook postrouting priority srcnat; policy accept;
            ip saddr %2$s oifname != "%1$s" masquerade
          }
        }
        """
            .formatted(
                name,
                addresses.all(),
                open.stream()
                    .map(
                        port ->
                            "iifname \"%s\" ip daddr %s tcp dport %d accept"
                                .formatted(name, port.address(), port.port()))
                    .collect(Collectors.joining("\n")));
    Shell.require(List.of("nft", "-f", "-"), rules);
  }

  /**
   * Removes what {@link #up} made, whatever of it is there. The namespace's processes must be gone.
   * Idempotent.
   */
  static void down(String name) {
    Shell.run("nft", "delete", "table", "inet", name);
    Shell.run("ip", "link", "delete", name);
    new NamedNamespace(name).delete();
    UplinkForwarding.release(name, UplinkForwarding.RECORDS);
    HostFiles.deleteIfEmpty(HostFiles.RUN);
  }
}
