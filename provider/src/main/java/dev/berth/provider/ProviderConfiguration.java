package dev.berth.provider;

import dev.berth.portlayer.storage.GarbagePolicy;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * Everything a provider is told at its start.
 *
 * @param images when images that nothing uses are removed
 */
public record ProviderConfiguration(
    Node node,
    Limits limits,
    Cluster cluster,
    Containers containers,
    HostGroups hostGroups,
    GarbagePolicy images,
    Timing timing) {
  public ProviderConfiguration {
    Objects.requireNonNull(node, "node");
    Objects.requireNonNull(limits, "limits");
    Objects.requireNonNull(cluster, "cluster");
    Objects.requireNonNull(containers, "containers");
    Objects.requireNonNull(hostGroups, "hostGroups");
    Objects.requireNonNull(images, "images");
    Objects.requireNonNull(timing, "timing");
  }

  /** The defaults for a node of that name and address. */
  public static ProviderConfiguration defaults(String nodeName, String internalAddress) {
    return new ProviderConfiguration(
        Node.defaults(nodeName, internalAddress),
        Limits.none(),
        Cluster.defaults(),
        Containers.defaults(),
        HostGroups.none(),
        GarbagePolicy.defaults(),
        Timing.defaults());
  }

  /**
   * How the node presents itself.
   *
   * @param name of the node object; the client must be {@code system:node:NAME}
   * @param internalAddresses addresses under which the API server reaches the kubelet's API; at
   *     least one
   * @param kubeletPort where the kubelet's HTTPS API listens
   * @param version shown as the kubelet's, such as {@code v1.36.3-berth-0.1.0}
   * @param labels more labels; those under kubernetes.io must be ones NodeRestriction lets a node
   *     set
   */
  public record Node(
      String name,
      List<String> internalAddresses,
      int kubeletPort,
      String version,
      Map<String, String> labels) {
    public Node {
      if (name.isBlank()) {
        throw new IllegalArgumentException("node name must not be empty");
      }
      internalAddresses = List.copyOf(internalAddresses);
      if (internalAddresses.isEmpty()) {
        throw new IllegalArgumentException("node " + name + " needs at least one internal address");
      }
      if (kubeletPort < 1 || kubeletPort > 65_535) {
        throw new IllegalArgumentException("kubelet port must be 1 to 65535, is " + kubeletPort);
      }
      Objects.requireNonNull(version, "version");
      labels = Map.copyOf(labels);
    }

    static Node defaults(String name, String internalAddress) {
      return new Node(name, List.of(internalAddress), 10250, "v1.36.3-berth-0.1.0", Map.of());
    }
  }

  /** Overrides of what the VCH's pool says; each may only lower it. */
  public record Limits(OptionalLong cpuMillis, OptionalLong memory, OptionalInt pods) {
    /** The pool's own limits. */
    public static Limits none() {
      return new Limits(OptionalLong.empty(), OptionalLong.empty(), OptionalInt.empty());
    }
  }

  /**
   * What pods are told about the cluster.
   *
   * @param nameServers addresses of the cluster's DNS; empty means that pods use the network's
   * @param domain the cluster's domain
   * @param apiServer what KUBERNETES_SERVICE_HOST and _PORT say instead of the {@code kubernetes}
   *     service's cluster address
   */
  public record Cluster(List<String> nameServers, String domain, Optional<HostAndPort> apiServer) {
    public Cluster {
      nameServers = List.copyOf(nameServers);
    }

    static Cluster defaults() {
      return new Cluster(List.of(), "cluster.local", Optional.empty());
    }
  }

  /** Where a service answers. */
  public record HostAndPort(String host, int port) {}

  /**
   * What containers get when their pod does not say.
   *
   * @param defaultMemory bytes for a container without a memory limit
   * @param scratchSize bytes of its scratch disk, which is thin; a limit on ephemeral-storage
   *     replaces it
   * @param seccompDefault whether a container without a profile gets RuntimeDefault. The kubelet's
   *     default is false, and so is Berth's: the system calls it would deny reach the container's
   *     own kernel only, and a pod behaves as on any other node
   * @param imagePullDeadline how long one pull may take
   * @param bootDeadline how long a containerVM may take to become ready
   * @param parallelStarts how many containerVMs may boot at a time
   */
  public record Containers(
      long defaultMemory,
      long scratchSize,
      boolean seccompDefault,
      Duration imagePullDeadline,
      Duration bootDeadline,
      int parallelStarts) {
    public Containers {
      if (defaultMemory < 1 << 20) {
        throw new IllegalArgumentException(
            "default memory must be at least 1 MiB, is " + defaultMemory + " bytes");
      }
      if (scratchSize < 16 << 20) {
        throw new IllegalArgumentException(
            "scratch size must be at least 16 MiB, is " + scratchSize + " bytes");
      }
      if (parallelStarts < 1) {
        throw new IllegalArgumentException("parallel starts must be at least 1");
      }
    }

    static Containers defaults() {
      return new Containers(
          256L << 20, 10L << 30, false, Duration.ofMinutes(15), Duration.ofMinutes(2), 32);
    }
  }

  /**
   * The groups of hosts that pods run on, and on no other. They are the node's administrator's to
   * name, and not a pod's author's.
   *
   * @param byNamespace for the pods of a namespace
   * @param others for the pods of all other namespaces
   */
  public record HostGroups(Map<String, String> byNamespace, Optional<String> others) {
    public HostGroups {
      byNamespace = Map.copyOf(byNamespace);
    }

    /** Pods run on any host. */
    public static HostGroups none() {
      return new HostGroups(Map.of(), Optional.empty());
    }

    /** The group of a namespace's pods. */
    public Optional<String> of(String namespace) {
      return Optional.ofNullable(byNamespace.get(namespace)).or(() -> others);
    }
  }

  /**
   * How often things are looked at again.
   *
   * @param resync each pod, as a safety net
   * @param volumeRefresh ConfigMaps, Secrets and tokens of running pods
   * @param heartbeat the node's lease and status
   * @param orphanCheck groups, disks and endpoints without a pod
   */
  public record Timing(
      Duration resync, Duration volumeRefresh, Duration heartbeat, Duration orphanCheck) {
    static Timing defaults() {
      return new Timing(
          Duration.ofMinutes(1),
          Duration.ofSeconds(30),
          Duration.ofSeconds(10),
          Duration.ofMinutes(5));
    }
  }
}
