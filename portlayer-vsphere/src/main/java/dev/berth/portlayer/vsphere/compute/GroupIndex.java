package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.Changes;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.GuestReport;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.compute.VmRecord.GroupRecord;
import dev.berth.portlayer.vsphere.events.EventSubject;
import dev.berth.portlayer.vsphere.vim.Collector.ObjectSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertyFilterSpec;
import dev.berth.portlayer.vsphere.vim.Collector.PropertySpec;
import dev.berth.portlayer.vsphere.vim.Collector.TraversalSpec;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * The containerVMs of a VCH and their groups, as the property stream tells of them. A group exists
 * when all its members do. Safe for use by many threads.
 */
public final class GroupIndex implements PropertyStream.Listener {
  private static final String POOL_MEMORY = "runtime.memory.maxUsage";
  private static final String POOL_CPU = "runtime.cpu.maxUsage";

  private final String vch;
  private final EventLog events;
  private final Changes changes;
  private final Map<ManagedObjectReference, IndexedVm> vms = new LinkedHashMap<>();
  private final Map<String, ManagedObjectReference> byId = new HashMap<>();
  private final Map<String, Set<ManagedObjectReference>> byGroup = new HashMap<>();
  private Observer observer = Observer.NOBODY;
  private Pool pool = new Pool(0, 0);

  /** Does what follows from changes. */
  interface Observer {
    Observer NOBODY =
        new Observer() {
          @Override
          public void keep(ManagedObjectReference vm) {}

          @Override
          public void changed(Member now) {}

          @Override
          public void gone(String containerVmId) {}
        };

    /** Makes {@link GroupIndex#unkept} of record. Called on a thread of its own. */
    void keep(ManagedObjectReference vm);

    /** A VM is not what it was. Must return at once. */
    void changed(Member now);

    /** A VM is there no more. Must return at once. */
    void gone(String containerVmId);
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
    this.changes = new Changes(events);
  }

  /** Names the observer. What an earlier control plane has missed is of record at the return. */
  void observe(Observer first) {
    List<ManagedObjectReference> behind;
    synchronized (this) {
      observer = first;
      behind = vms.keySet().stream().filter(vm -> unkept(vm).isPresent()).toList();
    }
    Parallel.each(behind, first::keep);
  }

  /** What the index has to hear of: the VMs in the VCH's folder, and its pool. */
  public static PropertyFilterSpec filter(
      ManagedObjectReference folder, ManagedObjectReference pool) {
    return new PropertyFilterSpec(
        List.of(
            new PropertySpec("VirtualMachine", List.of(IndexedVm.POWER, IndexedVm.EXTRA_CONFIG)),
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
    IndexedVm known = vms.get(vm);
    if (object.isEmpty()) {
      remove(vm);
    } else if (known == null) {
      IndexedVm.of(vch, object.get()).ifPresent(this::add);
    } else {
      known.changed(object.get());
      publish(known);
    }
  }

  private void add(IndexedVm vm) {
    Member member = vm.shown();
    vms.put(member.vm(), vm);
    byId.put(member.id(), member.vm());
    byGroup.computeIfAbsent(member.groupId(), id -> new LinkedHashSet<>()).add(member.vm());
    if (member.power() == PowerState.ON) {
      tell(PortLayerEvent.Type.VM_POWERED_ON, member);
    }
  }

  private void remove(ManagedObjectReference vm) {
    IndexedVm gone = vms.remove(vm);
    if (gone != null) {
      Member member = gone.shown();
      byId.remove(member.id(), vm);
      byGroup.computeIfPresent(
          member.groupId(),
          (id, rest) -> {
            rest.remove(vm);
            return rest.isEmpty() ? null : rest;
          });
      if (member.power() == PowerState.ON) {
        tell(PortLayerEvent.Type.VM_POWERED_OFF, member);
      }
      observer.gone(member.id());
    }
  }

  /** Shows what is new of a VM: the loss of a process once it is of record, or cannot be. */
  private void publish(IndexedVm vm) {
    ManagedObjectReference reference = vm.shown().vm();
    boolean heldBack = vm.heldBack();
    if (!heldBack) {
      show(vm);
    }
    if (vm.unkept().isPresent()) {
      Observer keeper = observer;
      Thread.startVirtualThread(
          () -> {
            keeper.keep(reference);
            if (heldBack) {
              showAgain(reference);
            }
          });
    }
  }

  private synchronized void showAgain(ManagedObjectReference vm) {
    Optional.ofNullable(vms.get(vm)).ifPresent(this::show);
  }

  private void show(IndexedVm vm) {
    vm.show(
        before -> {
          Member now = vm.shown();
          if (now.power() == PowerState.ON && before.power() == PowerState.OFF) {
            tell(PortLayerEvent.Type.VM_POWERED_ON, now);
          }
          changes.tell(now.groupId(), before.seen(), now.seen());
          if (now.power() == PowerState.OFF && before.power() == PowerState.ON) {
            tell(PortLayerEvent.Type.VM_POWERED_OFF, now);
          }
          observer.changed(now);
          notifyAll();
        });
  }

  private void tell(PortLayerEvent.Type type, Member member) {
    events.append(new PortLayerEvent(Instant.now(), type, member.id(), member.groupId(), ""));
  }

  /** Takes what a guest has told its control plane itself. */
  synchronized void hear(ManagedObjectReference vm, GuestReport report) {
    Optional.ofNullable(vms.get(vm))
        .ifPresent(
            indexed -> {
              indexed.hear(report);
              publish(indexed);
            });
  }

  /** Notes that a guest will be asked for an attempt; it has to be kept before it is. */
  synchronized void begin(ManagedObjectReference vm, int attempt) {
    Optional.ofNullable(vms.get(vm)).ifPresent(indexed -> indexed.begin(attempt));
  }

  /** Notes that the guest has refused the attempt. */
  synchronized void refuse(ManagedObjectReference vm) {
    Optional.ofNullable(vms.get(vm)).ifPresent(IndexedVm::refuse);
  }

  /** What has to be made of record of a VM. */
  synchronized Optional<Attempts> unkept(ManagedObjectReference vm) {
    return Optional.ofNullable(vms.get(vm)).flatMap(IndexedVm::unkept);
  }

  synchronized void kept(ManagedObjectReference vm, Attempts attempts) {
    Optional.ofNullable(vms.get(vm)).ifPresent(indexed -> indexed.kept(attempts));
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
    return byGroup.getOrDefault(groupId, Set.of()).stream()
        .map(vms::get)
        .map(IndexedVm::shown)
        .toList();
  }

  /** The VM of a containerVM. */
  synchronized Optional<Member> member(String containerVmId) {
    return Optional.ofNullable(byId.get(containerVmId)).map(vms::get).map(IndexedVm::shown);
  }

  /** The VM that has a record. */
  synchronized Optional<ManagedObjectReference> member(VmRecord record) {
    return members(record.group().id()).stream()
        .filter(member -> member.record().equals(record))
        .map(Member::vm)
        .findFirst();
  }

  synchronized List<Member> all() {
    return members().toList();
  }

  /** Which containerVM a VM is, if it is one. */
  public synchronized Optional<EventSubject> subject(ManagedObjectReference vm) {
    return Optional.ofNullable(vms.get(vm))
        .map(IndexedVm::shown)
        .map(member -> new EventSubject(member.id(), member.groupId()));
  }

  /** Whether a disk belongs to a containerVM that is powered on. */
  public synchronized boolean attached(String diskId) {
    return members()
        .filter(member -> member.power() == PowerState.ON)
        .flatMap(member -> member.record().vm().disks().stream())
        .anyMatch(disk -> disk.id().equals(diskId));
  }

  private Stream<Member> members() {
    return vms.values().stream().map(IndexedVm::shown);
  }

  synchronized Optional<Group> find(String groupId) {
    return group(members(groupId));
  }

  synchronized List<Group> groups() {
    return byGroup.keySet().stream().map(this::find).flatMap(Optional::stream).toList();
  }

  /** VMs of groups of which some members are missing. */
  synchronized List<Member> incomplete() {
    return byGroup.keySet().stream()
        .filter(id -> find(id).isEmpty())
        .flatMap(id -> members(id).stream())
        .toList();
  }

  private static Optional<Group> group(List<Member> members) {
    if (members.isEmpty()) {
      return Optional.empty();
    }
    GroupRecord group = members.getFirst().record().group();
    List<ContainerVm> ordered = new ArrayList<>();
    for (String id : group.members()) {
      Optional<ContainerVm> vm = observe(members, group, id);
      if (vm.isEmpty()) {
        return Optional.empty();
      }
      ordered.add(vm.get());
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

  private static Optional<ContainerVm> observe(List<Member> members, GroupRecord group, String id) {
    return members.stream()
        .filter(member -> member.id().equals(id) && member.record().group().equals(group))
        .map(Member::seen)
        .findFirst();
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
