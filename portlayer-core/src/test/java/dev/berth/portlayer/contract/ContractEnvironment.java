package dev.berth.portlayer.contract;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.PowerState;
import java.time.Duration;
import java.util.Set;
import org.awaitility.Awaitility;

/** A backend to be held to the contract, with a VCH of its own that is empty at first. */
public interface ContractEnvironment extends AutoCloseable {
  /** The port layer of the control plane that runs now. */
  PortLayer portLayer();

  /**
   * Ends the control plane as a crash does and starts another over the same state.
   *
   * @return what {@link #portLayer} gives from now on
   */
  PortLayer restart();

  /** A reference that can be pulled, of an image with the applets of busybox in its PATH. */
  String image();

  /** A reference of another image than {@link #image}, which no test runs. */
  String otherImage();

  /** Ends a VM as the loss of its hypervisor does. It need not be seen off yet. */
  void kill(String containerVmId);

  /** As {@link #kill}, and waits until the port layer sees the VM off. */
  default void loseVm(String containerVmId) {
    kill(containerVmId);
    Awaitility.await()
        .atMost(patience())
        .until(
            () ->
                portLayer().compute().list().stream()
                    .flatMap(group -> group.members().stream())
                    .filter(vm -> vm.spec().id().equals(containerVmId))
                    .map(ContainerVm::power)
                    .allMatch(PowerState.OFF::equals));
  }

  /** How long a boot, or anything else that is to succeed, may take. */
  Duration patience();

  /** What the backend refuses. */
  Set<Feature> unsupported();

  /** Removes every trace. */
  @Override
  void close();
}
