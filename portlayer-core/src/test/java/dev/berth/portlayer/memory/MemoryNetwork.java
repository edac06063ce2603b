package dev.berth.portlayer.memory;

import dev.berth.portlayer.Identifiers;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.network.ContainerNetwork;
import dev.berth.portlayer.network.NetworkService;
import dev.berth.portlayer.network.NicAttachment;
import java.util.List;

/** One network, 10.222.0.0/16, on which nothing is ever sent. */
final class MemoryNetwork implements NetworkService {
  private static final int LAST = 0xfffe;
  private static final ContainerNetwork NETWORK =
      new ContainerNetwork(
          "default", "10.222.0.0/16", "10.222.0.1", List.of("10.222.0.1"), 1500, LAST - 1);

  private final World world;

  MemoryNetwork(World world) {
    this.world = world;
  }

  @Override
  public List<ContainerNetwork> networks() {
    return List.of(NETWORK);
  }

  @Override
  public NicAttachment createEndpoint(String id, String network) {
    world.faults.enter(Operation.CREATE_ENDPOINT);
    Identifiers.check("endpoint id", id);
    if (!network.equals(NETWORK.name())) {
      throw new PortLayerException(
          Code.NOT_FOUND,
          "there is no network \"%s\"; there is \"%s\"".formatted(network, NETWORK.name()));
    }
    synchronized (world) {
      NicAttachment existing = world.endpoints.get(id);
      return existing == null ? reserve(id) : existing;
    }
  }

  private NicAttachment reserve(String id) {
    if (world.nextAddress > LAST && world.freedAddresses.isEmpty()) {
      throw new PortLayerException(
          Code.RESOURCE_EXHAUSTED, "network %s has no address left".formatted(NETWORK.name()));
    }
    int host = world.nextAddress <= LAST ? world.nextAddress++ : world.freedAddresses.removeFirst();
    NicAttachment nic =
        new NicAttachment(
            id,
            NETWORK.name(),
            "52:54:0a:de:%02x:%02x".formatted(host >> 8, host & 0xff),
            List.of("10.222.%d.%d/16".formatted(host >> 8, host & 0xff)),
            NETWORK.gateway(),
            NETWORK.mtu());
    world.endpoints.put(id, nic);
    return nic;
  }

  @Override
  public void deleteEndpoint(String id) {
    world.faults.enter(Operation.DELETE_ENDPOINT);
    synchronized (world) {
      NicAttachment nic = world.endpoints.remove(id);
      if (nic != null) {
        String[] parts = nic.primaryAddress().split("\\.", -1);
        world.freedAddresses.addLast(Integer.parseInt(parts[2]) << 8 | Integer.parseInt(parts[3]));
      }
    }
  }

  @Override
  public List<NicAttachment> listEndpoints() {
    return List.copyOf(world.endpoints.values());
  }
}
