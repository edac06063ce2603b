package dev.berth.e2e.bench;

import dev.berth.portlayer.image.ImageStoreConfiguration;
import dev.berth.portlayer.image.registry.RegistryConfiguration;
import dev.berth.portlayer.vsphere.VsphereConfiguration;
import dev.berth.portlayer.vsphere.VspherePortLayer;
import dev.berth.portlayer.vsphere.client.Credentials;
import dev.berth.portlayer.vsphere.client.Trust;
import dev.berth.portlayer.vsphere.client.VimSettings;
import dev.berth.provider.Provider;
import dev.berth.provider.ProviderConfiguration;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A node on vCenter: the provider over the vSphere port layer, until its standard input ends. Each
 * byte there is answered with a line, the MiB of heap in use after a collection. Arguments: those
 * of {@link Arguments}.
 */
public final class VcenterNode {
  private static final int MOST_PODS = 10_000;
  private static final long SCRATCH = 16L << 20;

  private VcenterNode() {}

  /**
   * What the program is called with.
   *
   * @param control the port that VMs' control ports are dialled to, on loopback
   * @param registry host and port, without TLS
   */
  record Arguments(
      Path kubeconfig,
      String node,
      URI vcenter,
      Path authority,
      Credentials.Password user,
      String vch,
      Path directory,
      int control,
      String registry) {
    static Arguments parse(String[] line) {
      return new Arguments(
          Path.of(line[0]),
          line[1],
          URI.create(line[2]),
          Path.of(line[3]),
          new Credentials.Password(line[4], Path.of(line[5])),
          line[6],
          Path.of(line[7]),
          Integer.parseInt(line[8]),
          line[9]);
    }

    List<String> line() {
      return List.of(
          kubeconfig.toString(),
          node,
          vcenter.toString(),
          authority.toString(),
          user.user(),
          user.file().toString(),
          vch,
          directory.toString(),
          Integer.toString(control),
          registry);
    }

    private VsphereConfiguration configuration() {
      return new VsphereConfiguration(
          vch,
          new VimSettings(vcenter, new Trust.Authority(authority), user),
          directory,
          new InetSocketAddress(InetAddress.getLoopbackAddress(), control),
          Optional.empty(),
          MOST_PODS,
          ImageStoreConfiguration.defaults(directory.resolve("images"))
              .withRegistries(List.of(RegistryConfiguration.plain(registry))));
    }
  }

  public static void main(String[] line) throws IOException {
    Arguments arguments = Arguments.parse(line);
    PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err); // Where the log goes.
    try (KubernetesClient client = Clients.of(arguments.kubeconfig());
        VspherePortLayer portLayer = VspherePortLayer.open(arguments.configuration());
        Provider provider =
            new Provider(
                configuration(arguments.node()), client, portLayer, new SimpleMeterRegistry())) {
      provider.start();
      out.println(MemoryNode.READY);
      while (System.in.read() >= 0) {
        out.println(Machine.heap());
      }
    }
  }

  private static ProviderConfiguration configuration(String name) {
    ProviderConfiguration defaults = ProviderConfiguration.defaults(name, "127.0.0.1");
    ProviderConfiguration.Containers containers = defaults.containers();
    return new ProviderConfiguration(
        defaults.node(),
        defaults.limits(),
        defaults.cluster(),
        new ProviderConfiguration.Containers(
            containers.defaultMemory(),
            SCRATCH,
            containers.seccompDefault(),
            containers.imagePullDeadline(),
            containers.bootDeadline(),
            containers.parallelStarts()),
        defaults.hostGroups(),
        defaults.images(),
        defaults.timing());
  }
}
