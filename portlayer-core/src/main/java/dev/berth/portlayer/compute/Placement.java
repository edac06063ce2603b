package dev.berth.portlayer.compute;

import java.util.Optional;

/**
 * Where a group may run.
 *
 * @param together whether all its containerVMs must be on one host
 * @param hostGroup the named set of hosts it is bound to
 */
public record Placement(boolean together, Optional<String> hostGroup) {
  /** All on one host, whichever it is. */
  public static Placement anywhereTogether() {
    return new Placement(true, Optional.empty());
  }
}
