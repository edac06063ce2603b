package dev.berth.portlayer.contract;

/** What a backend may refuse with {@code UNSUPPORTED}; the contract then asserts the refusal. */
public enum Feature {
  /** Placement bound to a named group of hosts. */
  HOST_GROUPS,
  ATTACH,
  PORT_FORWARDING,
  STATISTICS
}
