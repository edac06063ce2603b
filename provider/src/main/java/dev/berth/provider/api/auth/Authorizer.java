package dev.berth.provider.api.auth;

/** Decides what a caller may do with this node. */
public interface Authorizer {
  /**
   * Idempotent; may ask the API server.
   *
   * @param verb such as get or create
   * @param subresource of the node, such as proxy or metrics
   * @throws RuntimeException when nobody could be asked
   */
  boolean allows(Caller caller, String verb, String subresource);
}
