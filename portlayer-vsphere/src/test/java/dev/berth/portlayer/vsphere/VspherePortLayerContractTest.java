package dev.berth.portlayer.vsphere;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.contract.ContractEnvironment;
import dev.berth.portlayer.contract.Feature;
import dev.berth.portlayer.contract.PortLayerContract;
import dev.berth.portlayer.vsphere.lab.BootedVch;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;
import org.junit.jupiter.api.Tag;

/** The contract of the port layer on VMs that boot in the vCenter lab. */
@Tag("vm")
class VspherePortLayerContractTest extends PortLayerContract {
  @Override
  protected ContractEnvironment open() {
    return new Environment(new BootedVch());
  }

  private static final class Environment implements ContractEnvironment {
    private final BootedVch vch;
    private final String image;
    private final String other;

    Environment(BootedVch vch) {
      this.vch = vch;
      image = vch.push("image");
      other = vch.push("other");
    }

    @Override
    public PortLayer portLayer() {
      return vch.portLayer();
    }

    @Override
    public PortLayer restart() {
      return vch.restart();
    }

    @Override
    public String image() {
      return image;
    }

    @Override
    public String otherImage() {
      return other;
    }

    @Override
    public void kill(String containerVmId) {
      vch.lose(containerVmId);
    }

    @Override
    public Duration patience() {
      return Duration.ofSeconds(90);
    }

    @Override
    public Set<Feature> unsupported() {
      return EnumSet.noneOf(Feature.class);
    }

    @Override
    public void close() {
      vch.close();
    }
  }
}
