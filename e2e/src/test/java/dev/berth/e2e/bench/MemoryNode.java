package dev.berth.e2e.bench;

import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.memory.InMemoryPortLayer;
import dev.berth.portlayer.storage.ImageConfiguration;
import dev.berth.provider.Provider;
import dev.berth.provider.ProviderConfiguration;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A node without VMs: the provider over the in-memory port layer, until its standard input ends.
 * Arguments: kubeconfig, name of the node.
 */
public final class MemoryNode {
  static final String IMAGE = "server:1";
  static final String READY = "ready";

  private MemoryNode() {}

  public static void main(String[] arguments) throws IOException {
    try (KubernetesClient client = Clients.of(Path.of(arguments[0]));
        InMemoryPortLayer portLayer = new InMemoryPortLayer()) {
      portLayer.changeCapacity(new Capacity(64_000, 8L << 40, 5_000, 0));
      portLayer.addImage(
          IMAGE,
          new ImageConfiguration(
              List.of("server"),
              List.of(),
              List.of(),
              "",
              "",
              Optional.empty(),
              List.of(),
              Map.of()));
      try (Provider provider =
          new Provider(configuration(arguments[1]), client, portLayer, new SimpleMeterRegistry())) {
        provider.start();
        new PrintWriter(System.out, true, StandardCharsets.UTF_8).println(READY);
        while (System.in.read() >= 0) {
          // Only the end counts.
        }
      }
    }
  }

  private static ProviderConfiguration configuration(String name) {
    ProviderConfiguration defaults = ProviderConfiguration.defaults(name, "127.0.0.1");
    return new ProviderConfiguration(
        defaults.node(),
        new ProviderConfiguration.Limits(
            OptionalLong.empty(), OptionalLong.empty(), OptionalInt.empty()),
        defaults.cluster(),
        defaults.containers(),
        defaults.hostGroups(),
        defaults.images(),
        defaults.timing());
  }
}
