package dev.berth.portlayer.local.network;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.network.Subnet;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Who has which address, kept in one file. Addresses are given out in order, and those given back
 * only when no fresh one is left, the oldest first. Not safe for use by many threads.
 */
final class Addresses {
  private final Path file;
  private final Map<String, NicAttachment> endpoints = new LinkedHashMap<>();
  private final Map<String, Pool> pools = new LinkedHashMap<>();

  /** What is written to the file. */
  private record Saved(List<NicAttachment> endpoints, Map<String, PoolRecord> pools) {}

  private record PoolRecord(long next, List<Long> freed) {}

  private static final class Pool {
    private long next;
    private final ArrayDeque<Long> freed = new ArrayDeque<>();

    private Pool(long next, List<Long> freed) {
      this.next = next;
      this.freed.addAll(freed);
    }
  }

  Addresses(Path file) {
    this.file = file;
    AtomicFiles.read(file, Saved.class)
        .ifPresent(
            record -> {
              record.endpoints().forEach(endpoint -> endpoints.put(endpoint.id(), endpoint));
              record
                  .pools()
                  .forEach((name, pool) -> pools.put(name, new Pool(pool.next(), pool.freed())));
            });
  }

  Optional<NicAttachment> find(String id) {
    return Optional.ofNullable(endpoints.get(id));
  }

  Collection<NicAttachment> all() {
    return List.copyOf(endpoints.values());
  }

  NicAttachment take(String id, BridgeNetwork network) {
    Subnet subnet = network.range();
    // The first address is the gateway's.
    Pool pool =
        pools.computeIfAbsent(network.name(), name -> new Pool(subnet.first() + 1, List.of()));
    long address = pool.next <= subnet.last() ? pool.next++ : firstFreed(network, pool);
    NicAttachment endpoint =
        new NicAttachment(
            id,
            network.name(),
            mac(address),
            List.of(Subnet.text(address) + "/" + subnet.prefix()),
            network.gateway(),
            network.mtu());
    endpoints.put(id, endpoint);
    saveOr(
        () -> {
          endpoints.remove(id);
          pool.freed.addFirst(address);
        });
    return endpoint;
  }

  Optional<NicAttachment> giveBack(String id) {
    NicAttachment endpoint = endpoints.remove(id);
    if (endpoint != null) {
      Optional<Pool> pool = Optional.ofNullable(pools.get(endpoint.network()));
      long address = Subnet.address("address", endpoint.primaryAddress());
      pool.ifPresent(range -> range.freed.add(address));
      saveOr(
          () -> {
            endpoints.put(id, endpoint);
            pool.ifPresent(range -> range.freed.removeLast());
          });
    }
    return Optional.ofNullable(endpoint);
  }

  private static long firstFreed(BridgeNetwork network, Pool pool) {
    Long freed = pool.freed.poll();
    if (freed == null) {
      throw new PortLayerException(
          Code.RESOURCE_EXHAUSTED,
          "network %s: all %d addresses of %s are taken"
              .formatted(network.name(), network.capacity(), network.subnet()));
    }
    return freed;
  }

  /** Locally administered, with the address inside: unique because subnets do not overlap. */
  private static String mac(long address) {
    return "52:54:%02x:%02x:%02x:%02x"
        .formatted(address >> 24 & 0xff, address >> 16 & 0xff, address >> 8 & 0xff, address & 0xff);
  }

  /** What could not be written, for want of space for one, has not happened. */
  private void saveOr(Runnable undo) {
    try {
      save();
    } catch (PortLayerException e) {
      undo.run();
      throw e;
    }
  }

  private void save() {
    Map<String, PoolRecord> saved = new LinkedHashMap<>();
    pools.forEach(
        (name, pool) -> saved.put(name, new PoolRecord(pool.next, List.copyOf(pool.freed))));
    AtomicFiles.write(file, new Saved(List.copyOf(endpoints.values()), saved));
  }
}
