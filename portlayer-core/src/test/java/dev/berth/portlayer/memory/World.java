package dev.berth.portlayer.memory;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.ResourcePool;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageConfiguration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;

/** Everything that outlives a control plane: the state of record, the VMs, the registry. */
final class World {
  private static final long MEBIBYTE = 1 << 20;

  /** A group as recorded. */
  record GroupRecord(GroupSpec spec, Instant createdAt, List<MemoryVm> members) {}

  /** A scratch disk or volume as recorded. */
  record Disk(DiskAttachment attachment, long size) {}

  /** What the registry offers under a normalised reference. */
  record Offer(String id, String digest, ImageConfiguration configuration, long size) {}

  final Map<String, GroupRecord> groups = new ConcurrentHashMap<>();
  final Map<String, MemoryVm> vms = new ConcurrentHashMap<>();

  /** By the disk's id; without images, which any number of VMs share. */
  private final Map<String, Set<MemoryVm>> diskUsers = new ConcurrentHashMap<>();

  final Map<String, Disk> disks = new ConcurrentHashMap<>();
  final Map<String, Image> images = new ConcurrentHashMap<>();
  final Map<String, Offer> registry = new ConcurrentHashMap<>();
  final Map<String, NicAttachment> endpoints = new ConcurrentHashMap<>();
  final Deque<Integer> freedAddresses = new ArrayDeque<>();
  final Faults faults = new Faults();
  final ResourcePool pool =
      new ResourcePool(new Capacity(1_000_000, 1L << 42, 100_000, 64 * MEBIBYTE));
  final List<EventLog> listeners = new CopyOnWriteArrayList<>();

  /** Host part of the first address that was never given out; 1 is the gateway. */
  int nextAddress = 2;

  void tell(PortLayerEvent.Type type, String subject, String groupId, String detail) {
    PortLayerEvent event = new PortLayerEvent(Instant.now(), type, subject, groupId, detail);
    listeners.forEach(listener -> listener.append(event));
  }

  void add(MemoryVm vm) {
    vms.put(vm.spec().id(), vm);
    ownDisks(vm)
        .forEach(id -> diskUsers.computeIfAbsent(id, _ -> ConcurrentHashMap.newKeySet()).add(vm));
  }

  void remove(MemoryVm vm) {
    vms.remove(vm.spec().id());
    ownDisks(vm)
        .forEach(
            id ->
                diskUsers.computeIfPresent(
                    id,
                    (_, users) -> {
                      users.remove(vm);
                      return users.isEmpty() ? null : users;
                    }));
  }

  private static Stream<String> ownDisks(MemoryVm vm) {
    return vm.spec().disks().stream()
        .filter(disk -> disk.role() != DiskAttachment.Role.IMAGE)
        .map(DiskAttachment::id);
  }

  /** Whether a containerVM that has the disk is powered on. */
  boolean inUse(String disk) {
    return diskUsers.getOrDefault(disk, Set.of()).stream().anyMatch(MemoryVm::isOn);
  }

  MemoryVm vm(String id) {
    return Optional.ofNullable(vms.get(id))
        .orElseThrow(
            () ->
                new PortLayerException(Code.NOT_FOUND, "there is no containerVM %s".formatted(id)));
  }
}
