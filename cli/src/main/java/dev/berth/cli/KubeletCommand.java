package dev.berth.cli;

import dev.berth.cli.settings.Credentials;
import dev.berth.cli.settings.Flags;
import dev.berth.cli.settings.KubeletSettings;
import dev.berth.cli.settings.Problems;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code berth kubelet}. Every flag is taken as text here and checked with the configuration file's
 * values, so that all problems are told at once.
 */
@Command(
    name = "kubelet",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    description = {
      "Joins a cluster as a node and runs its pods as containerVMs.",
      "Stops on SIGTERM; the containerVMs go on, and the next start finds them."
    },
    footer = {
      "",
      "Amounts are written as in Kubernetes: 500m or 4 CPUs, 512Mi or 8Gi of memory.",
      "With --config, a YAML or JSON file gives the same settings by the flags' names",
      "(node-name: vch-1); a flag wins over the file."
    })
@SuppressWarnings("UnusedVariable") // the options are read by name, through the command's model
final class KubeletCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "YAML or JSON file with these settings.")
  private Optional<Path> config = Optional.empty();

  @Option(names = "--node-name", paramLabel = "NAME", description = "Name of the node. Required.")
  private List<String> nodeName = List.of();

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description =
          "Credentials of the node; inside a cluster, its service account is the default.")
  private List<String> kubeconfig = List.of();

  @Option(
      names = "--directory",
      paramLabel = "DIRECTORY",
      description = "Where disks, logs and records are kept. Required.")
  private List<String> directory = List.of();

  @Option(
      names = "--boot",
      paramLabel = "DIRECTORY",
      description =
          "Kernel and initramfs of the containerVMs, as iso-builder made them. Required; local.")
  private List<String> boot = List.of();

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      description = "Where containerVMs run: local (default) or vsphere.")
  private List<String> backend = List.of();

  @Option(
      names = "--tls-certificate",
      paramLabel = "FILE",
      description = "Serving certificate of the kubelet's API, PEM. Required.")
  private List<String> tlsCertificate = List.of();

  @Option(names = "--tls-key", paramLabel = "FILE", description = "Its key, PEM. Required.")
  private List<String> tlsKey = List.of();

  @Option(
      names = "--client-authority",
      paramLabel = "FILE",
      description = "Who signs the certificates of the API's clients, PEM; none by default.")
  private List<String> clientAuthority = List.of();

  @Option(
      names = "--address",
      paramLabel = "IP",
      description = "Address to listen on, and the node's; all of them by default.")
  private List<String> address = List.of();

  @Option(
      names = "--port",
      paramLabel = "PORT",
      description = "Port of the kubelet's API; 10250 by default.")
  private List<String> port = List.of();

  @Option(
      names = "--cpu-limit",
      paramLabel = "CPUS",
      description = "CPUs that all pods together may use; those of the machine by default. Local.")
  private List<String> cpuLimit = List.of();

  @Option(
      names = "--memory-limit",
      paramLabel = "BYTES",
      description =
          "Memory that all containerVMs together may use; three quarters of the machine's by default."
              + " Local.")
  private List<String> memoryLimit = List.of();

  @Option(
      names = "--pod-limit",
      paramLabel = "COUNT",
      description = "How many pods may run; 110 by default.")
  private List<String> podLimit = List.of();

  @Option(
      names = "--network",
      paramLabel = "NAME=SUBNET",
      description =
          "A container network; repeatable, the first is the default. pods=10.222.0.0/24 by default."
              + " Local.")
  private List<String> network = List.of();

  @Option(
      names = "--network-namespace",
      paramLabel = "NAME",
      description =
          "Network namespace for bridges, filters and containerVMs; the host's own by default. Local.")
  private List<String> networkNamespace = List.of();

  @Option(
      names = "--allow-host-port",
      paramLabel = "IP:PORT",
      description =
          "What pods may reach of this host, such as the API server; repeatable, nothing by default."
              + " Local.")
  private List<String> allowHostPort = List.of();

  @Option(
      names = "--kubernetes-service",
      paramLabel = "IP:PORT=IP:PORT",
      description =
          "Gives pods a service's cluster address and where it leads to; repeatable. Local.")
  private List<String> kubernetesService = List.of();

  @Option(
      names = "--registry-allow",
      paramLabel = "REGISTRY",
      description = "Registry or repository that images may come from; repeatable, all by default.")
  private List<String> registryAllow = List.of();

  @Option(
      names = "--registry-mirror",
      paramLabel = "REGISTRY=MIRROR",
      description = "Where to look first for a registry's images; repeatable.")
  private List<String> registryMirror = List.of();

  @Option(
      names = "--registry-plain-http",
      paramLabel = "REGISTRY",
      description = "Registry to speak to without TLS; repeatable.")
  private List<String> registryPlainHttp = List.of();

  @Option(
      names = "--registry-config",
      paramLabel = "FILE",
      description = "Credentials for registries, as Docker's config.json has them.")
  private List<String> registryConfig = List.of();

  @Option(
      names = "--image-gc-high",
      paramLabel = "PERCENT",
      description = "Use of the disk above which unused images go; 85 by default.")
  private List<String> imageGcHigh = List.of();

  @Option(
      names = "--image-gc-low",
      paramLabel = "PERCENT",
      description = "Use of the disk down to which they go; 80 by default.")
  private List<String> imageGcLow = List.of();

  @Option(
      names = "--cluster-dns",
      paramLabel = "IP",
      description = "Address of the cluster's DNS; repeatable.")
  private List<String> clusterDns = List.of();

  @Option(
      names = "--cluster-domain",
      paramLabel = "DOMAIN",
      description = "The cluster's domain; cluster.local by default.")
  private List<String> clusterDomain = List.of();

  @Option(
      names = "--default-memory",
      paramLabel = "BYTES",
      description = "Memory of a container that names no limit; 256Mi by default.")
  private List<String> defaultMemory = List.of();

  @Option(
      names = "--scratch-size",
      paramLabel = "BYTES",
      description =
          "What a container that names no ephemeral-storage limit may write to its root; 10Gi by default.")
  private List<String> scratchSize = List.of();

  @Option(
      names = "--parallel-starts",
      paramLabel = "COUNT",
      description =
          "How many containerVMs may boot at a time; by default twice this machine's processors, with vsphere 32.")
  private List<String> parallelStarts = List.of();

  @Option(
      names = "--kubernetes-service-host",
      paramLabel = "HOST",
      description = "What pods find in KUBERNETES_SERVICE_HOST instead of the service's address.")
  private List<String> kubernetesServiceHost = List.of();

  @Option(
      names = "--kubernetes-service-port",
      paramLabel = "PORT",
      description = "Its port; 443 by default.")
  private List<String> kubernetesServicePort = List.of();

  @Mixin private VcenterOptions vcenter = new VcenterOptions();

  @Option(
      names = "--vch",
      paramLabel = "NAME",
      description = "The VCH, as 'berth vch create' made it. Required; vsphere.")
  private List<String> vch = List.of();

  @Option(
      names = "--control-address",
      paramLabel = "IP:PORT",
      description =
          "Where to listen for the hypervisors' serial ports, which dial to the VCH's control URI. Required; vsphere.")
  private List<String> controlAddress = List.of();

  @Option(
      names = "--control-interface",
      paramLabel = "NAME",
      description =
          "This machine's network interface on the VCH's control network, for fast copies and port-forwards; none by default. vsphere.")
  private List<String> controlInterface = List.of();

  @Option(
      names = "--host-group",
      paramLabel = "NAMESPACE=GROUP",
      description =
          "Group of the cluster's hosts that a namespace's pods run on, and on no other;"
              + " *=GROUP for all namespaces that are not named; repeatable, any host by default."
              + " Vsphere.")
  private List<String> hostGroup = List.of();

  @Override
  public void run() {
    try (Node node = Node.start(settings())) {
      node.runUntilTerminated();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private KubeletSettings settings() {
    Problems problems = new Problems();
    KubeletSettings settings = KubeletSettings.of(Flags.settings(spec, config, problems), problems);
    problems.raise();
    Credentials.check(settings, problems);
    problems.raise();
    return settings;
  }
}
