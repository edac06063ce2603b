package dev.berth.portlayer.network;

import java.util.List;

/**
 * Named container networks and the endpoints on them. Addresses are of record: they survive a
 * restart of the control plane.
 */
public interface NetworkService {
  /** Every network; the first is the default. Never empty. */
  List<ContainerNetwork> networks();

  /**
   * Reserves an address and a MAC on a network. Idempotent by id: the same endpoint comes back.
   *
   * @param id the caller's identity for the endpoint
   * @throws dev.berth.portlayer.PortLayerException NOT_FOUND (no such network), ALREADY_EXISTS
   *     (that id is on another network), RESOURCE_EXHAUSTED (no address left)
   */
  NicAttachment createEndpoint(String id, String network);

  /**
   * Gives an endpoint's address back. Idempotent. An address is not given out again as long as
   * others are free that were freed earlier.
   */
  void deleteEndpoint(String id);

  /** Every endpoint, for finding orphans. */
  List<NicAttachment> listEndpoints();
}
