package dev.berth.provider.node;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.compute.HostInformation;
import dev.berth.portlayer.network.ContainerNetwork;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.StorageUsage;
import dev.berth.provider.ProviderConfiguration;
import dev.berth.provider.translate.Quantities;
import io.fabric8.kubernetes.api.model.ContainerImage;
import io.fabric8.kubernetes.api.model.ContainerImageBuilder;
import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.NodeSystemInfo;
import io.fabric8.kubernetes.api.model.NodeSystemInfoBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

/** What the node says about itself, as the port layer has it. */
final class NodeStatusFactory {
  private static final int IMAGES_SHOWN = 50;

  /** Share of the datastore below which the kubelet, too, reports disk pressure. */
  private static final double LOW_DISK = 0.10;

  private final PortLayer portLayer;
  private final ProviderConfiguration configuration;

  NodeStatusFactory(PortLayer portLayer, ProviderConfiguration configuration) {
    this.portLayer = portLayer;
    this.configuration = configuration;
  }

  /** One look at the port layer. */
  record View(
      Map<String, Quantity> capacity,
      Map<String, Quantity> allocatable,
      NodeSystemInfo information,
      List<ContainerImage> images,
      boolean diskLow,
      boolean addressesGone) {}

  /**
   * @throws dev.berth.portlayer.PortLayerException when the port layer cannot be asked
   */
  View look() {
    Capacity pool = portLayer.compute().capacity();
    StorageUsage storage = portLayer.storage().usage();
    ProviderConfiguration.Limits limits = configuration.limits();
    long cpu = Math.min(pool.cpuMillis(), limits.cpuMillis().orElse(Long.MAX_VALUE));
    long memory = Math.min(pool.memory(), limits.memory().orElse(Long.MAX_VALUE));
    int addresses =
        portLayer.network().networks().stream().mapToInt(ContainerNetwork::capacity).sum();
    int containers = portLayer.compute().list().stream().mapToInt(g -> g.members().size()).sum();
    long pods =
        Stream.of(pool.containerVms(), addresses, limits.pods().orElse(Integer.MAX_VALUE))
            .mapToInt(Integer::intValue)
            .min()
            .orElse(0);
    return new View(
        Quantities.of(cpu, memory, pods, storage.capacity()),
        Quantities.of(cpu, usable(memory, pool, containers), pods, storage.capacity()),
        information(portLayer.compute().host()),
        images(),
        storage.available() < storage.capacity() * LOW_DISK,
        containers >= pods);
  }

  /**
   * What containers can still be promised: the overhead of the containerVMs that exist is gone,
   * that of others will go when they come. Reserving it for as many as there could be would leave a
   * small VCH with nothing to offer.
   */
  private static long usable(long memory, Capacity pool, int containers) {
    return Math.max(0, memory - pool.memoryOverhead() * containers);
  }

  private NodeSystemInfo information(HostInformation host) {
    String name = configuration.node().name();
    String id =
        UUID.nameUUIDFromBytes(("berth/" + name).getBytes(StandardCharsets.UTF_8)).toString();
    return new NodeSystemInfoBuilder()
        .withMachineID(id.replace("-", ""))
        .withSystemUUID(id)
        .withBootID(id)
        .withKernelVersion(host.kernelVersion())
        .withOsImage(host.operatingSystem())
        .withOperatingSystem("linux")
        .withArchitecture(host.architecture())
        .withContainerRuntimeVersion(host.runtime())
        .withKubeletVersion(configuration.node().version())
        .withKubeProxyVersion("")
        .build();
  }

  private List<ContainerImage> images() {
    return portLayer.storage().listImages().stream()
        .sorted(Comparator.comparingLong(Image::size).reversed().thenComparing(Image::id))
        .limit(IMAGES_SHOWN)
        .map(
            image ->
                new ContainerImageBuilder()
                    .withNames(
                        Stream.concat(
                                image.repositoryDigests().stream(), image.references().stream())
                            .limit(5)
                            .toList())
                    .withSizeBytes(image.size())
                    .build())
        .toList();
  }

  List<NodeAddress> addresses() {
    List<NodeAddress> addresses = new ArrayList<>();
    configuration
        .node()
        .internalAddresses()
        .forEach(address -> addresses.add(new NodeAddress(address, "InternalIP")));
    addresses.add(new NodeAddress(configuration.node().name(), "Hostname"));
    return addresses;
  }
}
