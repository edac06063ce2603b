package dev.berth.portlayer.local.network;

import dev.berth.portlayer.Identifiers;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.local.host.HostCommands;
import dev.berth.portlayer.network.ContainerNetwork;
import dev.berth.portlayer.network.NetworkService;
import dev.berth.portlayer.network.NicAttachment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Networks as bridges of the host. Ports of a bridge are isolated from each other and locked to
 * their endpoint's MAC; the gateway answers for every address and routes between pods, so all
 * traffic passes the packet filter, which pins MAC and address together.
 */
public final class LocalNetwork implements NetworkService {
  private final String vch;
  private final List<BridgeNetwork> networks;
  private final HostCommands commands;
  private final Firewall firewall;
  private final Addresses addresses;

  public LocalNetwork(
      String vch,
      List<BridgeNetwork> networks,
      List<HostPort> allowedHostPorts,
      List<VirtualPort> virtualPorts,
      Path file,
      HostCommands commands) {
    this.vch = vch;
    this.networks = List.copyOf(networks);
    this.commands = commands;
    this.firewall = new Firewall(vch, this.networks, allowedHostPorts, virtualPorts);
    this.addresses = new Addresses(file);
  }

  /** Makes bridges and packet filter as they should be, whatever is there. Idempotent. */
  public synchronized void setUp() {
    StringBuilder batch = new StringBuilder();
    List<String> settings = new ArrayList<>(List.of("sysctl", "-q", "-e", "-w"));
    for (BridgeNetwork network : networks) {
      String bridge = Names.bridge(vch, network.name());
      ensureBridge(bridge);
      batch.append(
          "address replace %s/%d dev %s\nlink set dev %s mtu %d up\n"
              .formatted(
                  network.gateway(), network.range().prefix(), bridge, bridge, network.mtu()));
      String prefix = "net/ipv4/conf/" + bridge;
      settings.add(prefix + "/forwarding=1");
      settings.add(prefix + "/proxy_arp_pvlan=1");
      settings.add(prefix + "/rp_filter=1");
      settings.add(prefix + "/send_redirects=0");
      settings.add("net/ipv6/conf/" + bridge + "/disable_ipv6=1");
    }
    ip(batch.toString());
    uplink().ifPresent(device -> settings.add("net/ipv4/conf/" + device + "/forwarding=1"));
    commands.run(commands.inNetwork(settings));
    nft(firewall.replace(addresses.all()));
  }

  /** Removes bridges and packet filter. Idempotent. */
  public synchronized void removeAll() {
    nft(firewall.removeAll());
    for (BridgeNetwork network : networks) {
      String bridge = Names.bridge(vch, network.name());
      if (exists(bridge)) {
        ip("link delete dev " + bridge + "\n");
      }
    }
  }

  @Override
  public List<ContainerNetwork> networks() {
    return networks.stream()
        .map(
            network ->
                new ContainerNetwork(
                    network.name(),
                    network.subnet(),
                    network.gateway(),
                    network.nameServers(),
                    network.mtu(),
                    network.capacity()))
        .toList();
  }

  @Override
  public synchronized NicAttachment createEndpoint(String id, String network) {
    Identifiers.check("endpoint id", id);
    BridgeNetwork wanted = find(network);
    Optional<NicAttachment> present = addresses.find(id);
    if (present.isPresent()) {
      if (!present.get().network().equals(network)) {
        throw new PortLayerException(
            Code.ALREADY_EXISTS,
            "endpoint %s is on network %s, not %s".formatted(id, present.get().network(), network));
      }
      return present.get();
    }
    return addresses.take(id, wanted);
  }

  @Override
  public synchronized void deleteEndpoint(String id) {
    addresses.giveBack(id);
  }

  @Override
  public synchronized List<NicAttachment> listEndpoints() {
    return List.copyOf(addresses.all());
  }

  /**
   * Says that an endpoint is known.
   *
   * @throws PortLayerException NOT_FOUND
   */
  public synchronized void requireEndpoint(NicAttachment nic) {
    if (addresses.find(nic.id()).isEmpty()) {
      throw new PortLayerException(
          Code.NOT_FOUND, "endpoint %s does not exist: create it first".formatted(nic.id()));
    }
  }

  /** The interface that the endpoint's VM makes, as long as it runs. */
  public String tap(NicAttachment nic) {
    return Names.tap(vch, nic.id());
  }

  /** Makes the interface of an endpoint for a QEMU that is about to start. Idempotent. */
  public void plug(NicAttachment nic) {
    ip("tuntap add dev %s mode tap\n".formatted(tap(nic)) + join(nic));
  }

  /**
   * Lets the endpoint's packets pass, and no others from its interface: its bridge port is locked
   * to its MAC, and the packet filter pins its address to that. Idempotent.
   */
  public void admit(NicAttachment nic) {
    nft(firewall.add(nic));
    commands.run(
        commands.inNetwork(
            List.of("bridge", "fdb", "replace", nic.mac(), "dev", tap(nic), "master", "static")));
  }

  /** Puts the interface of a running VM where it belongs, wherever it is. Idempotent. */
  public void repair(NicAttachment nic) {
    ip(join(nic));
    admit(nic);
  }

  /** Removes the interface once its QEMU is gone. Idempotent. */
  public void unplug(NicAttachment nic) {
    // Each of these may be gone already.
    for (String line :
        List.of(
            "link delete dev " + tap(nic),
            "neighbour delete %s dev %s".formatted(nic.primaryAddress(), bridge(nic)))) {
      List<String> command = new ArrayList<>(List.of("ip"));
      command.addAll(List.of(line.split(" ", -1)));
      var _ = commands.attempt(commands.inNetwork(command), "");
    }
    var _ = commands.attempt(commands.inNetwork(List.of("nft", "-f", "-")), firewall.remove(nic));
  }

  private String join(NicAttachment nic) {
    return """
    link set dev %1$s mtu %2$d master %3$s up
    link set dev %1$s type bridge_slave isolated on learning off flood off mcast_flood off bcast_flood off locked on
    neighbour replace %4$s lladdr %5$s dev %3$s nud permanent
    """
        .formatted(tap(nic), nic.mtu(), bridge(nic), nic.primaryAddress(), nic.mac());
  }

  private String bridge(NicAttachment nic) {
    return Names.bridge(vch, nic.network());
  }

  private BridgeNetwork find(String name) {
    return networks.stream()
        .filter(network -> network.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new PortLayerException(
                    Code.NOT_FOUND,
                    "there is no network %s; there are %s"
                        .formatted(name, networks.stream().map(BridgeNetwork::name).toList())));
  }

  private void ensureBridge(String bridge) {
    if (!exists(bridge)) {
      // Without a forwarding delay and without snooping, which only cost time here.
      ip("link add name " + bridge + " type bridge forward_delay 0 mcast_snooping 0\n");
    }
  }

  private boolean exists(String device) {
    return commands
            .attempt(commands.inNetwork(List.of("ip", "link", "show", "dev", device)), "")
            .exitCode()
        == 0;
  }

  private Optional<String> uplink() {
    String routes =
        commands.run(commands.inNetwork(List.of("ip", "-4", "route", "show", "default")));
    List<String> words = List.of(routes.strip().split("\\s+"));
    int device = words.indexOf("dev");
    return device < 0 ? Optional.empty() : Optional.of(words.get(device + 1));
  }

  private void ip(String batch) {
    if (!batch.isEmpty()) {
      commands.run(commands.inNetwork(List.of("ip", "-batch", "-")), batch);
    }
  }

  private void nft(String script) {
    commands.run(commands.inNetwork(List.of("nft", "-f", "-")), script);
  }
}
