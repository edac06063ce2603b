package dev.berth.portlayer.local;

import dev.berth.portlayer.Identifiers;
import dev.berth.portlayer.image.ImageStoreConfiguration;
import dev.berth.portlayer.local.network.BridgeNetwork;
import dev.berth.portlayer.local.network.HostPort;
import dev.berth.portlayer.local.network.Names;
import dev.berth.portlayer.local.network.VirtualPort;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * One VCH on this machine.
 *
 * @param name of the VCH, unique on the host
 * @param directory where everything of record is, disks and logs included; made when missing
 * @param runDirectory for sockets, so its path must be short: at most 64 bytes
 * @param bootArtifact the directory that iso-builder made
 * @param pool what its containers may use together
 * @param networks at least one; the first is the default
 * @param networkNamespace a named network namespace for bridges, taps, packet filter and QEMU
 *     instead of the host's own
 * @param allowedHostPorts what pods may reach of the host
 * @param virtualPorts addresses that exist for pods only
 * @param images where images are kept, inside {@code directory}, and come from
 */
public record LocalConfiguration(
    String name,
    Path directory,
    Path runDirectory,
    Path bootArtifact,
    Pool pool,
    List<BridgeNetwork> networks,
    Optional<String> networkNamespace,
    List<HostPort> allowedHostPorts,
    List<VirtualPort> virtualPorts,
    ImageStoreConfiguration images) {
  private static final int LONGEST_RUN_DIRECTORY = 64;

  /**
   * The resource pool.
   *
   * @param cpuMillis thousandths of a CPU; told to schedulers, not enforced: CPUs may be
   *     overcommitted
   * @param memory bytes; enforced when a containerVM is powered on, with its overhead
   * @param containerVms how many may be powered on
   */
  public record Pool(long cpuMillis, long memory, int containerVms) {
    public Pool {
      if (cpuMillis < 1 || memory < 1 || containerVms < 1) {
        throw new IllegalArgumentException(
            "pool: cpuMillis, memory and containerVms must be positive, but are %d, %d and %d"
                .formatted(cpuMillis, memory, containerVms));
      }
    }
  }

  public LocalConfiguration {
    Identifiers.check("name", name);
    directory = directory.toAbsolutePath().normalize();
    runDirectory = runDirectory.toAbsolutePath().normalize();
    Objects.requireNonNull(pool, "pool");
    networks = List.copyOf(networks);
    allowedHostPorts = List.copyOf(allowedHostPorts);
    virtualPorts = List.copyOf(virtualPorts);
    if (networks.isEmpty()) {
      throw new IllegalArgumentException("networks: a VCH has at least one");
    }
    BridgeNetwork.requireApart(networks);
    if (runDirectory.toString().length() > LONGEST_RUN_DIRECTORY) {
      throw new IllegalArgumentException(
          "runDirectory %s: at most %d bytes, because a socket's path is limited; choose a shorter one"
              .formatted(runDirectory, LONGEST_RUN_DIRECTORY));
    }
  }

  /** A VCH with one network, whose sockets are under {@code /run/berth}. */
  public static LocalConfiguration of(
      String name, Path directory, Path bootArtifact, Pool pool, BridgeNetwork network) {
    Path sockets =
        Path.of("/run/berth", Names.hash(directory.toAbsolutePath().normalize().toString(), 6));
    return new LocalConfiguration(
        name,
        directory,
        sockets,
        bootArtifact,
        pool,
        List.of(network),
        Optional.empty(),
        List.of(),
        List.of(),
        ImageStoreConfiguration.defaults(directory.resolve("images")));
  }

  /** The same in a named network namespace. */
  public LocalConfiguration inNetworkNamespace(String namespace) {
    return new LocalConfiguration(
        name,
        directory,
        runDirectory,
        bootArtifact,
        pool,
        networks,
        Optional.of(namespace),
        allowedHostPorts,
        virtualPorts,
        images);
  }
}
