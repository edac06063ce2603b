package dev.berth.portlayer.vsphere.network;

import java.util.ArrayDeque;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.LongStream;

/**
 * The addresses of one network that are free: fresh ones in order, and when none is left those
 * given back, the oldest first. Not safe for use by many threads.
 */
final class AddressPool {
  private final PortGroupNetwork network;
  private final ArrayDeque<Long> freed = new ArrayDeque<>();
  private long next;

  /**
   * @param taken addresses that are in use; the ones below them count as given back
   */
  AddressPool(PortGroupNetwork network, Set<Long> taken) {
    this.network = network;
    long first = network.firstAddress();
    long highest =
        taken.stream()
            .mapToLong(Long::longValue)
            .filter(address -> address <= network.lastAddress())
            .max()
            .orElse(first - 1);
    next = Math.max(first, highest + 1);
    LongStream.range(first, next)
        .filter(address -> !taken.contains(address) && !network.isGateway(address))
        .forEach(freed::add);
  }

  OptionalLong take() {
    while (next <= network.lastAddress()) {
      long address = next++;
      if (!network.isGateway(address)) {
        return OptionalLong.of(address);
      }
    }
    Long oldest = freed.poll();
    return oldest == null ? OptionalLong.empty() : OptionalLong.of(oldest);
  }

  void giveBack(long address) {
    if (address >= network.firstAddress() && address <= network.lastAddress()) {
      freed.add(address);
    }
  }
}
