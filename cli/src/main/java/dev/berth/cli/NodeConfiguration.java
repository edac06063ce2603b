package dev.berth.cli;

import dev.berth.cli.settings.BackendSettings;
import dev.berth.cli.settings.Endpoint;
import dev.berth.cli.settings.KubeletSettings;
import dev.berth.cli.settings.NameServers;
import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.image.ImageStoreConfiguration;
import dev.berth.portlayer.image.registry.RegistryConfiguration;
import dev.berth.portlayer.local.LocalConfiguration;
import dev.berth.portlayer.local.LocalPortLayer;
import dev.berth.portlayer.local.network.BridgeNetwork;
import dev.berth.portlayer.local.network.HostPort;
import dev.berth.portlayer.local.network.VirtualPort;
import dev.berth.portlayer.storage.GarbagePolicy;
import dev.berth.portlayer.vsphere.VsphereConfiguration;
import dev.berth.portlayer.vsphere.VspherePortLayer;
import dev.berth.provider.ProviderConfiguration;
import dev.berth.provider.api.KubeletApiConfiguration;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What each part of a node is told, from the settings of {@code berth kubelet}. */
record NodeConfiguration(KubeletSettings settings) {
  private static final int ETHERNET_MTU = 1500;

  private ImageStoreConfiguration images() {
    KubeletSettings.Registry registry = settings.registry();
    ImageStoreConfiguration configuration =
        ImageStoreConfiguration.defaults(settings.directory().resolve("images"))
            .withRegistries(registries(registry))
            .withAllowedRegistries(registry.allow());
    return registry.credentials().map(configuration::withDockerConfiguration).orElse(configuration);
  }

  private static List<RegistryConfiguration> registries(KubeletSettings.Registry registry) {
    TreeSet<String> hosts = new TreeSet<>(registry.mirrors().keySet());
    hosts.addAll(registry.plainHttp());
    return hosts.stream()
        .map(
            host ->
                new RegistryConfiguration(
                    host,
                    registry.mirrors().entrySet().stream()
                        .filter(mirror -> mirror.getKey().equals(host))
                        .map(mirror -> mirrorAddress(mirror.getValue(), registry.plainHttp()))
                        .toList(),
                    registry.plainHttp().contains(host),
                    Optional.empty()))
        .toList();
  }

  private static URI mirrorAddress(String mirror, List<String> plainHttp) {
    String host = mirror.split("/", 2)[0];
    return URI.create((plainHttp.contains(host) ? "http://" : "https://") + mirror);
  }

  /** Opens the port layer that the settings name. */
  PortLayer openPortLayer() {
    return switch (settings.backend()) {
      case BackendSettings.Local local -> LocalPortLayer.open(configuration(local));
      case BackendSettings.Vsphere vsphere -> open(vsphere);
    };
  }

  private VspherePortLayer open(BackendSettings.Vsphere vsphere) {
    VspherePortLayer portLayer = VspherePortLayer.open(configuration(vsphere));
    try {
      requireHostGroups(vsphere, portLayer);
      return portLayer;
    } catch (RuntimeException e) {
      portLayer.close();
      throw e;
    }
  }

  private static void requireHostGroups(
      BackendSettings.Vsphere vsphere, VspherePortLayer portLayer) {
    Set<String> wanted = new TreeSet<>(vsphere.hostGroups().values());
    if (wanted.isEmpty()) {
      return;
    }
    Set<String> there = new TreeSet<>(portLayer.hostGroups());
    wanted.removeAll(there);
    if (!wanted.isEmpty()) {
      throw CommandFailure.of(
          "host-group: the cluster has no group of hosts called %s; there are %s: make it in the vSphere client (Cluster > Configure > VM/Host Groups), or name one that is there"
              .formatted(String.join(", ", wanted), there.isEmpty() ? "none" : there));
    }
  }

  private VsphereConfiguration configuration(BackendSettings.Vsphere vsphere) {
    return new VsphereConfiguration(
        vsphere.vch(),
        vsphere.vcenter(),
        settings.directory(),
        vsphere.control(),
        vsphere.controlInterface(),
        settings.pods(),
        images());
  }

  private LocalConfiguration configuration(BackendSettings.Local local) {
    BackendSettings.HostAccess access = local.hostAccess();
    return new LocalConfiguration(
        settings.nodeName(),
        settings.directory(),
        Path.of("/run/berth", settings.nodeName()),
        local.boot(),
        new LocalConfiguration.Pool(local.cpuMillis(), local.memory(), settings.pods()),
        networks(local),
        access.namespace(),
        access.allowed().stream().map(NodeConfiguration::hostPort).toList(),
        access.services().entrySet().stream().map(NodeConfiguration::virtualPort).toList(),
        images());
  }

  private static List<BridgeNetwork> networks(BackendSettings.Local local) {
    List<String> nameServers = NameServers.ofMachine();
    return local.networks().entrySet().stream()
        .map(
            network ->
                new BridgeNetwork(network.getKey(), network.getValue(), nameServers, ETHERNET_MTU))
        .toList();
  }

  private static HostPort hostPort(Endpoint endpoint) {
    return new HostPort(endpoint.address(), endpoint.port());
  }

  private static VirtualPort virtualPort(Map.Entry<Endpoint, Endpoint> service) {
    return new VirtualPort(
        service.getKey().address(), service.getKey().port(), hostPort(service.getValue()));
  }

  ProviderConfiguration provider() {
    ProviderConfiguration defaults =
        ProviderConfiguration.defaults(settings.nodeName(), address().getHostAddress());
    KubeletSettings.Cluster cluster = settings.cluster();
    ProviderConfiguration.Node node = defaults.node();
    ProviderConfiguration.Containers containers = defaults.containers();
    GarbagePolicy images =
        new GarbagePolicy(
            settings.registry().collectAbove(),
            settings.registry().collectDownTo(),
            defaults.images().minimumAge());
    return new ProviderConfiguration(
        new ProviderConfiguration.Node(
            node.name(),
            node.internalAddresses(),
            settings.serving().port(),
            node.version(),
            node.labels()),
        defaults.limits(),
        new ProviderConfiguration.Cluster(
            cluster.nameServers(),
            cluster.domain(),
            cluster
                .serviceHost()
                .map(host -> new ProviderConfiguration.HostAndPort(host, cluster.servicePort()))),
        new ProviderConfiguration.Containers(
            settings.defaultMemory(),
            settings.scratchSize(),
            containers.seccompDefault(),
            containers.imagePullDeadline(),
            containers.bootDeadline(),
            settings.parallelStarts()),
        hostGroups(),
        images,
        defaults.timing());
  }

  private ProviderConfiguration.HostGroups hostGroups() {
    return switch (settings.backend()) {
      case BackendSettings.Local _ -> ProviderConfiguration.HostGroups.none();
      case BackendSettings.Vsphere vsphere -> {
        Map<String, String> byNamespace = new HashMap<>(vsphere.hostGroups());
        Optional<String> others = Optional.ofNullable(byNamespace.remove(BackendSettings.OTHERS));
        yield new ProviderConfiguration.HostGroups(byNamespace, others);
      }
    };
  }

  KubeletApiConfiguration api() {
    KubeletSettings.Serving serving = settings.serving();
    return KubeletApiConfiguration.of(
        settings.nodeName(),
        new InetSocketAddress(serving.address(), serving.port()),
        serving.certificate(),
        serving.key(),
        serving.clientAuthority());
  }

  /** The address that the node tells the cluster. */
  private InetAddress address() {
    InetAddress address = settings.serving().address();
    if (!address.isAnyLocalAddress()) {
      return address;
    }
    try {
      return InetAddress.getLocalHost();
    } catch (java.net.UnknownHostException e) {
      throw new IllegalStateException(
          "the host's name has no address: tell the node's with --address", e);
    }
  }
}
