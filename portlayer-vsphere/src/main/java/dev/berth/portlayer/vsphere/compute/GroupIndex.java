package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.compute.VmRecord.GroupRecord;
import dev.berth.portlayer.vsphere.vim.Collector.ObjectSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyFilterSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertySpec;
import dev.berth.portlayer.vsphere.vim.Collector.TraversalSpec;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.VmSpecs.OptionValue;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The containerVMs of a VCH and their groups, as the property stream tells of them. A group exists
 * when all its members do. Safe for use by many threads.
 */
public final class GroupIndex implements PropertyStream.Listener {
  private static final String POWER = "runtime.powerState";
  private static final String EXTRA_CONFIG = "config.extraConfig";
  private static final String POOL_MEMORY = "runtime.memory.maxUsage";
  private static final String POOL_CPU = "runtime.cpu.maxUsage";

  private final String vch;
  private final EventLog events;
  private final Map<ManagedObjectReference, Member> members = new HashMap<>();
  private Pool pool = new Pool(0, 0);

  /** One VM. */
  record Member(ManagedObjectReference vm, VmRecord record, PowerState power) {
    String id() {
      return record.vm().id();
    }

    String groupId() {
      return record.group().id();
    }
  }

  /**
   * The most that the pool may use.
   *
   * @param memory bytes
   */
  record Pool(long megahertz, long memory) {}

  public GroupIndex(String vch, EventLog events) {
    this.vch = vch;
    this.events = events;
  }

  /** What the index has to hear of: the VMs in the VCH's folder, and its pool. */
  public static PropertyFilterSpec filter(
      ManagedObjectReference folder, ManagedObjectReference pool) {
    return new PropertyFilterSpec(
        List.of(
            new PropertySpec("VirtualMachine", List.of(POWER, EXTRA_CONFIG)),
            new PropertySpec("ResourcePool", List.of(POOL_MEMORY, POOL_CPU))),
        List.of(
            new ObjectSpec(
                folder,
                true,
                List.of(new TraversalSpec(null, "Folder", "childEntity", false, List.of()))),
            ObjectSpec.of(pool)));
  }

  @Override
  public synchronized void changed(PropertyStream stream, Set<ManagedObjectReference> objects) {
    for (ManagedObjectReference object : objects) {
      switch (object.type()) {
        case "VirtualMachine" -> vm(object, stream.object(object));
        case "ResourcePool" -> stream.object(object).ifPresent(this::pool);
        default -> {}
      }
    }
    notifyAll();
  }

  private void vm(ManagedObjectReference vm, Optional<ManagedObject> object) {
    Member now = object.flatMap(this::member).orElse(null);
    Member before = now == null ? members.remove(vm) : members.put(vm, now);
    PowerState wasOn = before == null ? PowerState.OFF : before.power();
    PowerState isOn = now == null ? PowerState.OFF : now.power();
    Member told = now == null ? before : now;
    if (told != null && wasOn != isOn) {
      events.append(
          new PortLayerEvent(
              Instant.now(),
              isOn == PowerState.ON
                  ? PortLayerEvent.Type.VM_POWERED_ON
                  : PortLayerEvent.Type.VM_POWERED_OFF,
              told.id(),
              told.groupId(),
              ""));
    }
  }

  private Optional<Member> member(ManagedObject object) {
    PowerState power =
        object.get(POWER, String.class).filter("poweredOn"::equals).isPresent()
            ? PowerState.ON
            : PowerState.OFF;
    return VmRecord.parse(vch, object.list(EXTRA_CONFIG, OptionValue.class))
        .map(record -> new Member(object.reference(), record, power));
  }

  private void pool(ManagedObject object) {
    Pool now =
        new Pool(
            object.get(POOL_CPU, Long.class).orElse(0L),
            object.get(POOL_MEMORY, Long.class).orElse(0L));
    if (!now.equals(pool)) {
      pool = now;
      events.append(
          new PortLayerEvent(
              Instant.now(), PortLayerEvent.Type.CAPACITY_CHANGED, vch, "", now.toString()));
    }
  }

  synchronized Pool pool() {
    return pool;
  }

  /** The VMs of a group, whether all are there or not. */
  synchronized List<Member> members(String groupId) {
    return members.values().stream().filter(member -> member.groupId().equals(groupId)).toList();
  }

  /** The VM that has a record. */
  synchronized Optional<ManagedObjectReference> member(VmRecord record) {
    return members.values().stream()
        .filter(member -> member.record().equals(record))
        .map(Member::vm)
        .findFirst();
  }

  synchronized List<Member> all() {
    return List.copyOf(members.values());
  }

  synchronized Optional<Group> find(String groupId) {
    return group(members(groupId));
  }

  synchronized List<Group> groups() {
    return byGroup().values().stream().map(GroupIndex::group).flatMap(Optional::stream).toList();
  }

  /** VMs of groups of which some members are missing. */
  synchronized List<Member> incomplete() {
    return byGroup().values().stream()
        .filter(group -> group(group).isEmpty())
        .flatMap(List::stream)
        .toList();
  }

  private Map<String, List<Member>> byGroup() {
    return members.values().stream().collect(Collectors.groupingBy(Member::groupId));
  }

  private static Optional<Group> group(List<Member> members) {
    if (members.isEmpty()) {
      return Optional.empty();
    }
    GroupRecord group = members.getFirst().record().group();
    List<ContainerVm> ordered = new ArrayList<>();
    for (String id : group.members()) {
      ContainerVm vm = observe(members, group, id);
      if (vm == null) {
        return Optional.empty();
      }
      ordered.add(vm);
    }
    GroupSpec spec =
        new GroupSpec(
            group.id(),
            group.name(),
            group.placement(),
            ordered.stream().map(ContainerVm::spec).toList(),
            group.labels());
    return Optional.of(new Group(spec, group.createdAt(), ordered));
  }

  private static @Nullable ContainerVm observe(List<Member> members, GroupRecord group, String id) {
    return members.stream()
        .filter(member -> member.id().equals(id) && member.record().group().equals(group))
        .findFirst()
        .map(
            member ->
                new ContainerVm(
                    member.record().vm(),
                    member.power(),
                    false,
                    new ProcessState.NotStarted(),
                    List.of()))
        .orElse(null);
  }

  /**
   * Waits until vCenter has told of something.
   *
   * @throws PortLayerException DEADLINE_EXCEEDED, INTERRUPTED
   */
  synchronized void await(String what, BooleanSupplier condition, Duration deadline) {
    long end = System.nanoTime() + deadline.toNanos();
    while (!condition.getAsBoolean()) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new PortLayerException(
            Code.DEADLINE_EXCEEDED, "vCenter has not told yet that " + what);
      }
      try {
        wait(left);
      } catch (InterruptedException e) {
        throw PortLayerException.interrupted("waiting until " + what, e);
      }
    }
  }
}
