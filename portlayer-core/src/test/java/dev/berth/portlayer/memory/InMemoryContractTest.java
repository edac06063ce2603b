package dev.berth.portlayer.memory;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.contract.ContractEnvironment;
import dev.berth.portlayer.contract.Feature;
import dev.berth.portlayer.contract.PortLayerContract;
import dev.berth.portlayer.storage.ImageConfiguration;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.DisplayName;

@DisplayName("The in-memory port layer keeps the contract")
class InMemoryContractTest extends PortLayerContract {
  @Override
  protected ContractEnvironment open() {
    return new Environment();
  }

  private static final class Environment implements ContractEnvironment {
    private InMemoryPortLayer portLayer = new InMemoryPortLayer();

    Environment() {
      portLayer.addImage(image(), ImageConfiguration.empty());
      portLayer.addImage(
          otherImage(),
          new ImageConfiguration(
              List.of("nginx"),
              List.of(),
              List.of(),
              "",
              "",
              Optional.empty(),
              List.of(),
              Map.of()));
    }

    @Override
    public PortLayer portLayer() {
      return portLayer;
    }

    @Override
    public PortLayer restart() {
      portLayer = portLayer.restart();
      return portLayer;
    }

    @Override
    public String image() {
      return "registry.test/busybox:1.35";
    }

    @Override
    public String otherImage() {
      return "registry.test/nginx:1.22";
    }

    @Override
    public void kill(String containerVmId) {
      portLayer.loseVm(containerVmId);
    }

    @Override
    public Duration patience() {
      return Duration.ofSeconds(20);
    }

    @Override
    public Set<Feature> unsupported() {
      return Set.of(Feature.HOST_GROUPS);
    }

    @Override
    public void close() {
      portLayer.close();
    }
  }
}
