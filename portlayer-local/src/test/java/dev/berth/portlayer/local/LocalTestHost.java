package dev.berth.portlayer.local;

import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.host.HostCommands;
import dev.berth.portlayer.local.host.HostProcess;
import dev.berth.portlayer.local.network.BridgeNetwork;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;

/** A VCH in a network namespace of its own, which both go when this is closed. */
final class LocalTestHost implements AutoCloseable {
  private static final long MEBIBYTE = 1L << 20;

  final LocalConfiguration configuration;
  final HostCommands commands;
  private final String namespace = "berth-" + UUID.randomUUID().toString().substring(0, 8);
  private final Path root;
  private LocalPortLayer portLayer;

  LocalTestHost() {
    try {
      root = Files.createTempDirectory("berth-local");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    commands = new HostCommands(Optional.of(namespace));
    commands.run(List.of("ip", "netns", "add", namespace));
    commands.run(commands.inNetwork(List.of("ip", "link", "set", "lo", "up")));
    configuration =
        LocalConfiguration.of(
                namespace,
                root.resolve("vch"),
                bootArtifact(),
                new LocalConfiguration.Pool(4000, 4096 * MEBIBYTE, 40),
                new BridgeNetwork("pods", "10.222.0.0/24", List.of(), 1500))
            .inNetworkNamespace(namespace);
    portLayer = open();
  }

  /** What iso-builder/build made in the folder named by {@code -Dberth.work}. */
  private static Path bootArtifact() {
    return Path.of(System.getProperty("berth.work", "../.berth"), "boot");
  }

  LocalPortLayer portLayer() {
    return portLayer;
  }

  /** The QEMU of a containerVM, as of record. */
  HostProcess qemu(String containerVmId) {
    try (Stream<Path> files = Files.walk(configuration.directory().resolve("vms"))) {
      Path processId =
          files
              .filter(file -> file.endsWith(Path.of(containerVmId, "qemu.pid")))
              .findFirst()
              .orElseThrow();
      return HostProcess.of(Long.parseLong(Files.readString(processId).strip())).orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  LocalPortLayer restart() {
    portLayer.close();
    portLayer = open();
    return portLayer;
  }

  private LocalPortLayer open() {
    return LocalPortLayer.open(configuration, new SquashfsImages(root.resolve("images")));
  }

  @Override
  public void close() {
    portLayer.close();
    LocalPortLayer.removeEverything(configuration);
    commands.run(List.of("ip", "netns", "delete", namespace));
    AtomicFiles.delete(root);
  }
}
