package dev.berth.portlayer.vsphere.network;

import dev.berth.portlayer.Identifiers;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.network.ContainerNetwork;
import dev.berth.portlayer.network.NetworkService;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.network.Subnet;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.DatastorePath;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Endpoints on port groups. An endpoint is of record as an empty file on the VCH's datastore, whose
 * name tells all there is to know: {@code ID,NETWORK,ADDRESS}.
 */
public final class VsphereNetwork implements NetworkService {
  /** Of the addresses of VMware's that are for administrators to give. */
  private static final int MAC_BITS = 22;

  private final String vch;
  private final DatastoreFiles files;
  private final DatastorePath folder;
  private final Map<String, PortGroupNetwork> networks = new LinkedHashMap<>();
  private final Map<String, AddressPool> pools = new LinkedHashMap<>();
  private final Map<String, NicAttachment> endpoints = new LinkedHashMap<>();

  /**
   * @param vch the VCH's name, which goes into MAC addresses
   * @param root the VCH's folder on the datastore
   * @param networks at least one; the first is the default
   */
  public VsphereNetwork(
      String vch, DatastoreFiles files, DatastorePath root, List<PortGroupNetwork> networks) {
    if (networks.isEmpty()) {
      throw new IllegalArgumentException("a VCH has at least one network");
    }
    this.vch = vch;
    this.files = files;
    folder = root.resolve("endpoints");
    for (PortGroupNetwork network : networks) {
      if (this.networks.put(network.name(), network) != null) {
        throw new IllegalArgumentException("two networks are called " + network.name());
      }
    }
    files.makeDirectory(folder);
    files.list(folder).stream()
        .map(this::parse)
        .flatMap(Optional::stream)
        .forEach(endpoint -> endpoints.put(endpoint.id(), endpoint));
    networks.forEach(network -> pools.put(network.name(), pool(network)));
  }

  private AddressPool pool(PortGroupNetwork network) {
    Set<Long> taken =
        endpoints.values().stream()
            .filter(endpoint -> endpoint.network().equals(network.name()))
            .map(VsphereNetwork::address)
            .collect(Collectors.toSet());
    return new AddressPool(network, taken);
  }

  private Optional<NicAttachment> parse(String name) {
    List<String> parts = List.of(name.split(",", -1));
    PortGroupNetwork network = parts.size() == 3 ? networks.get(parts.get(1)) : null;
    return network == null
        ? Optional.empty()
        : Optional.of(endpoint(parts.getFirst(), network, Subnet.address(name, parts.getLast())));
  }

  private static long address(NicAttachment endpoint) {
    return Subnet.address("address", endpoint.primaryAddress());
  }

  private static String fileName(NicAttachment endpoint) {
    return endpoint.id() + "," + endpoint.network() + "," + endpoint.primaryAddress();
  }

  @Override
  public List<ContainerNetwork> networks() {
    return networks.values().stream().map(PortGroupNetwork::describe).toList();
  }

  @Override
  public NicAttachment createEndpoint(String id, String network) {
    Identifiers.check("endpoint id", id);
    NicAttachment endpoint;
    synchronized (this) {
      PortGroupNetwork wanted = find(network);
      NicAttachment present = endpoints.get(id);
      if (present != null && !present.network().equals(network)) {
        throw new PortLayerException(
            Code.ALREADY_EXISTS,
            "endpoint %s is on network %s, not %s".formatted(id, present.network(), network));
      }
      endpoint = present == null ? take(id, wanted) : present;
    }
    // Again, if it was there: the one who came first may have failed to write it.
    files.touch(folder.resolve(fileName(endpoint)));
    return endpoint;
  }

  private NicAttachment take(String id, PortGroupNetwork network) {
    AddressPool pool = pools.get(network.name());
    long address =
        (pool == null ? OptionalLong.empty() : pool.take())
            .orElseThrow(
                () ->
                    new PortLayerException(
                        Code.RESOURCE_EXHAUSTED,
                        "network %s: all addresses from %s to %s are taken"
                            .formatted(network.name(), network.first(), network.last())));
    NicAttachment endpoint = endpoint(id, network, address);
    endpoints.put(id, endpoint);
    return endpoint;
  }

  private NicAttachment endpoint(String id, PortGroupNetwork network, long address) {
    return new NicAttachment(
        id,
        network.name(),
        mac(network, address),
        List.of(Subnet.text(address) + "/" + network.prefix()),
        network.gateway(),
        network.mtu());
  }

  /**
   * Of {@code 00:50:56:00:00:00} to {@code 3f:ff:ff}. Addresses of one network differ in it, and
   * networks and VCHs are most likely apart.
   */
  private String mac(PortGroupNetwork network, long address) {
    long bits = (address ^ (vch + "/" + network.name()).hashCode()) & ((1 << MAC_BITS) - 1);
    return "00:50:56:%02x:%02x:%02x".formatted(bits >> 16, bits >> 8 & 0xff, bits & 0xff);
  }

  @Override
  public void deleteEndpoint(String id) {
    NicAttachment endpoint;
    synchronized (this) {
      endpoint = endpoints.get(id);
    }
    if (endpoint == null) {
      return;
    }
    files.delete(folder.resolve(fileName(endpoint)));
    synchronized (this) {
      AddressPool pool = pools.get(endpoint.network());
      if (endpoints.remove(id, endpoint) && pool != null) {
        pool.giveBack(address(endpoint));
      }
    }
  }

  @Override
  public synchronized List<NicAttachment> listEndpoints() {
    return List.copyOf(endpoints.values());
  }

  /** Whether an endpoint is there. */
  public synchronized boolean exists(NicAttachment endpoint) {
    return endpoint.equals(endpoints.get(endpoint.id()));
  }

  private PortGroupNetwork find(String name) {
    PortGroupNetwork network = networks.get(name);
    if (network == null) {
      throw new PortLayerException(
          Code.NOT_FOUND,
          "there is no network %s; there are %s".formatted(name, networks.keySet()));
    }
    return network;
  }
}
