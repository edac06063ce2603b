package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.tether.SerialEndpoint;
import dev.berth.portlayer.tether.TetherClient;
import dev.berth.portlayer.tether.TetherClients;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** The clients of the tethers that were called, each kept while its VM is on. */
final class Tethers implements AutoCloseable {
  private final TetherClients clients;
  private final SerialEndpoint endpoint;
  private final Optional<String> controlInterface;
  private final GroupIndex index;
  private final Map<String, TetherClient> open = new ConcurrentHashMap<>();

  /**
   * @param controlInterface of this machine, on the VCH's control network
   */
  Tethers(
      TetherClients clients,
      SerialEndpoint endpoint,
      Optional<String> controlInterface,
      GroupIndex index) {
    this.clients = clients;
    this.endpoint = endpoint;
    this.controlInterface = controlInterface;
    this.index = index;
  }

  TetherClient get(String containerVmId) {
    return open.computeIfAbsent(
        containerVmId,
        id -> clients.client(id, endpoint, () -> fingerprint(id), () -> address(id)));
  }

  private Optional<String> fingerprint(String containerVmId) {
    return index.member(containerVmId).flatMap(Member::certificate);
  }

  private Optional<InetSocketAddress> address(String containerVmId) {
    return controlInterface.flatMap(
        from ->
            index
                .member(containerVmId)
                .flatMap(member -> member.record().controlMac())
                .flatMap(mac -> ControlInterface.address(mac, from)));
  }

  /** Ends what is under way with a VM; what is begun afterwards begins anew. */
  void forget(String containerVmId) {
    Optional.ofNullable(open.remove(containerVmId)).ifPresent(TetherClient::close);
  }

  @Override
  public void close() {
    open.keySet().forEach(this::forget);
  }
}
