package dev.berth.cli.quickstart;

import dev.berth.portlayer.local.network.HostPort;
import dev.berth.portlayer.local.network.VirtualPort;
import java.util.List;
import java.util.Optional;

/** What runs an installation's containerVMs. */
interface Backend {
  /**
   * Where the kubelet is, and what pods reach of the cluster.
   *
   * @param inside whether the kubelet is in the installation's namespace; it is on the host else
   * @param kubernetes the service {@code kubernetes}
   */
  record Surroundings(
      HostNetwork network, Addresses addresses, boolean inside, Optional<VirtualPort> kubernetes) {}

  /** The name that {@code berth kubelet --backend} knows it by. */
  String name();

  /** What must reach the kubelet from within the namespace when that is on the host. */
  List<HostPort> ports(Addresses addresses);

  /**
   * Makes everything ready for the kubelet, and returns its options of this backend. Idempotent.
   */
  List<String> up(Surroundings surroundings);

  /** What a user may type next to look at it, with a line break before; may be empty. */
  String hint();
}
