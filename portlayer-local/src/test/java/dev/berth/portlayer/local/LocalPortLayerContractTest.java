package dev.berth.portlayer.local;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.contract.ContractEnvironment;
import dev.berth.portlayer.contract.Feature;
import dev.berth.portlayer.contract.PortLayerContract;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Tag;

/** The contract of the port layer on real VMs. */
@Tag("vm")
class LocalPortLayerContractTest extends PortLayerContract {
  @Override
  protected ContractEnvironment open() {
    return new LocalEnvironment(new LocalTestHost());
  }

  private record LocalEnvironment(LocalTestHost host) implements ContractEnvironment {
    @Override
    public PortLayer portLayer() {
      return host.portLayer();
    }

    @Override
    public PortLayer restart() {
      return host.restart();
    }

    @Override
    public String image() {
      return SquashfsImages.IMAGE;
    }

    @Override
    public String otherImage() {
      return SquashfsImages.OTHER;
    }

    @Override
    public void kill(String containerVmId) {
      host.qemu(containerVmId).kill();
    }

    @Override
    public Duration patience() {
      return Duration.ofSeconds(90);
    }

    @Override
    public Set<Feature> unsupported() {
      return EnumSet.of(Feature.HOST_GROUPS);
    }

    @Override
    public void close() {
      host.close();
    }
  }
}
