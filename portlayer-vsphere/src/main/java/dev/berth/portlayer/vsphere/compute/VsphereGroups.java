package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ResourcePool;
import dev.berth.portlayer.events.EventLog;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.compute.VmRecord.GroupRecord;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Groups of containerVMs as VMs in the VCH's pool and folder: their creation, their power as VMs,
 * and their end. See {@link dev.berth.portlayer.compute.ComputeService} for what the methods that
 * are named alike promise.
 */
public final class VsphereGroups {
  private static final Logger LOG = LoggerFactory.getLogger(VsphereGroups.class);

  /** How long vCenter may take to tell what it has done. */
  private static final Duration TELLING = Duration.ofMinutes(2);

  private static final long MEBIBYTE = 1L << 20;

  private final VchSettings vch;
  private final int mostVms;
  private final GroupIndex index;
  private final EventLog events;
  private final VmOperations vms;
  private final AffinityRules rules;
  private final HostGroups hostGroups;
  private final DatastoreFiles files;
  private final Predicate<DiskAttachment> disks;
  private final Predicate<NicAttachment> endpoints;
  private final Map<String, String> claimed = new ConcurrentHashMap<>();
  private final Locks groups = new Locks();

  /** Apart from {@link #groups}: who changes a group waits for what is kept of its VMs. */
  private final Locks keeping = new Locks();

  /**
   * @param stream follows what {@link GroupIndex#filter} says, for {@code index}
   * @param mostVms how many VMs may exist
   * @param disks whether a disk is there
   * @param endpoints whether an endpoint is there
   */
  public VsphereGroups(
      VimClient client,
      PropertyStream stream,
      GroupIndex index,
      DatastoreFiles files,
      VchSettings vch,
      int mostVms,
      EventLog events,
      Predicate<DiskAttachment> disks,
      Predicate<NicAttachment> endpoints) {
    this.vch = vch;
    this.mostVms = mostVms;
    this.index = index;
    this.events = events;
    this.vms = new VmOperations(client, stream, index, files, vch);
    ClusterConfiguration cluster = new ClusterConfiguration(client, stream, vch.cluster());
    this.rules = new AffinityRules(cluster);
    this.hostGroups = new HostGroups(cluster, vch.name());
    this.files = files;
    this.disks = disks;
    this.endpoints = endpoints;
    files.makeDirectory(vch.vms());
    removeRemains();
  }

  /** What a control plane that died left half made or half deleted. */
  private void removeRemains() {
    List<Member> incomplete = index.incomplete();
    incomplete.forEach(member -> LOG.info("Removing {} of a group that is not whole", member.id()));
    remove(incomplete);
    index.await("VMs that are no group's are gone", () -> index.incomplete().isEmpty(), TELLING);
    Set<String> kept = index.all().stream().map(Member::id).collect(Collectors.toSet());
    files.list(vch.vms()).stream()
        .filter(name -> !kept.contains(name))
        .forEach(name -> files.delete(vch.vms().resolve(name)));
  }

  /** Removes VMs, and first the rules of their groups. */
  private void remove(List<Member> members) {
    members.stream()
        .map(member -> member.record().group())
        .distinct()
        .filter(group -> group.placement().together() && group.members().size() > 1)
        .forEach(group -> rules.remove(Names.rule(vch.name(), group.id(), group.name())));
    members.forEach(
        member ->
            member
                .record()
                .group()
                .placement()
                .hostGroup()
                .ifPresent(name -> hostGroups.remove(name, List.of(member.vm()))));
    Parallel.each(members, vms::remove);
  }

  /** As {@link dev.berth.portlayer.compute.ComputeService#create}. */
  public Group create(GroupSpec spec) {
    return groups.with(spec.id(), () -> createLocked(spec));
  }

  private Group createLocked(GroupSpec spec) {
    Optional<Group> present = index.find(spec.id());
    if (present.isPresent()) {
      if (!present.get().spec().equals(spec)) {
        throw new PortLayerException(
            Code.ALREADY_EXISTS, "group %s exists with another specification".formatted(spec.id()));
      }
      return present.get();
    }
    remove(index.members(spec.id()));
    vms.deleteRemains(spec.id());
    check(spec);
    claim(spec);
    try {
      make(spec);
      index.await(
          "group " + spec.id() + " exists", () -> index.find(spec.id()).isPresent(), TELLING);
    } finally {
      spec.members().forEach(member -> claimed.remove(member.id(), spec.id()));
    }
    tell(PortLayerEvent.Type.GROUP_CREATED, spec);
    return index.find(spec.id()).orElseThrow();
  }

  private void check(GroupSpec spec) {
    spec.placement().hostGroup().ifPresent(hostGroups::require);
    new ResourcePool(capacity()).requireFits(spec);
    for (ContainerVmSpec member : spec.members()) {
      member.disks().forEach(disk -> require(disks.test(disk), member, "disk " + disk.id()));
      member.nics().forEach(nic -> require(endpoints.test(nic), member, "endpoint " + nic.id()));
    }
  }

  private static void require(boolean there, ContainerVmSpec member, String what) {
    if (!there) {
      throw new PortLayerException(
          Code.NOT_FOUND, "containerVM %s: %s does not exist".formatted(member.id(), what));
    }
  }

  /** Ids are unique in the VCH, among groups that are being made as well. */
  private void claim(GroupSpec spec) {
    for (ContainerVmSpec member : spec.members()) {
      String other = claimed.putIfAbsent(member.id(), spec.id());
      if (other != null || index.member(member.id()).isPresent()) {
        spec.members().forEach(claim -> claimed.remove(claim.id(), spec.id()));
        throw new PortLayerException(
            Code.ALREADY_EXISTS, "containerVM %s exists in another group".formatted(member.id()));
      }
    }
  }

  private void make(GroupSpec spec) {
    // What JSON keeps of it.
    Instant now = Instant.now().truncatedTo(ChronoUnit.MILLIS);
    GroupRecord group = GroupRecord.of(vch.name(), spec, now);
    List<VmRecord> records = records(group, spec);
    boolean done = false;
    try {
      List<ManagedObjectReference> made = Parallel.map(records, vms::create);
      if (spec.placement().together() && made.size() > 1) {
        rules.put(rule(spec), made);
      }
      spec.placement().hostGroup().ifPresent(name -> hostGroups.add(name, made));
      done = true;
    } finally {
      if (!done) {
        abandon(spec, records);
      }
    }
  }

  private List<VmRecord> records(GroupRecord group, GroupSpec spec) {
    if (vch.controlNetwork().isEmpty()) {
      return spec.members().stream()
          .map(member -> new VmRecord(group, member, Optional.empty()))
          .toList();
    }
    Set<String> taken = new HashSet<>();
    index.all().forEach(member -> member.record().controlMac().ifPresent(taken::add));
    List<VmRecord> records = new ArrayList<>();
    for (ContainerVmSpec member : spec.members()) {
      String mac = ControlInterface.mac(vch.name(), member.id(), taken);
      taken.add(mac);
      records.add(new VmRecord(group, member, Optional.of(mac)));
    }
    return records;
  }

  private void abandon(GroupSpec spec, List<VmRecord> records) {
    try {
      if (records.size() > 1) {
        rules.remove(rule(spec));
      }
      Parallel.each(
          records, record -> vms.found(record).ifPresent(vm -> abandon(spec, record, vm)));
    } catch (RuntimeException e) {
      LOG.warn(
          "What was made of group {} is left until it is created again or destroyed", spec.id(), e);
    }
  }

  private void abandon(GroupSpec spec, VmRecord record, ManagedObjectReference vm) {
    spec.placement().hostGroup().ifPresent(name -> hostGroups.remove(name, List.of(vm)));
    vms.remove(vm, record);
  }

  private String rule(GroupSpec spec) {
    return Names.rule(vch.name(), spec.id(), spec.name());
  }

  /** Powers all VMs of a group on, as DRS places them. It does not wait for their guests. */
  public void powerOn(String groupId) {
    groups.with(
        groupId,
        () -> {
          List<Member> off =
              require(groupId).stream().filter(member -> member.power() == PowerState.OFF).toList();
          if (!off.isEmpty()) {
            // A control plane that finds them on must not take an earlier boot's words for theirs.
            Parallel.each(
                off.stream().filter(Member::told).toList(),
                member -> vms.reconfigure(member.vm(), VmTranslation.nothingTold()));
            vms.powerOn(off.stream().map(Member::vm).toList());
            awaitPower(groupId, PowerState.ON);
          }
          return off;
        });
  }

  /** Powers all VMs of a group off, at once. */
  public void powerOff(String groupId) {
    groups.with(
        groupId,
        () -> {
          List<Member> members = require(groupId);
          Parallel.each(
              members.stream().filter(member -> member.power() == PowerState.ON).toList(),
              member -> vms.powerOff(member.vm()));
          awaitPower(groupId, PowerState.OFF);
          return members;
        });
  }

  private void awaitPower(String groupId, PowerState power) {
    index.await(
        "the VMs of group " + groupId + " are " + power,
        () -> index.members(groupId).stream().allMatch(member -> member.power() == power),
        TELLING);
  }

  private List<Member> require(String groupId) {
    if (index.find(groupId).isEmpty()) {
      throw new PortLayerException(Code.NOT_FOUND, "there is no group " + groupId);
    }
    return index.members(groupId);
  }

  /** As {@link dev.berth.portlayer.compute.ComputeService#destroy}. */
  public void destroy(String groupId) {
    groups.with(
        groupId,
        () -> {
          List<Member> members = index.members(groupId);
          vms.deleteRemains(groupId);
          if (!members.isEmpty()) {
            GroupRecord group = members.getFirst().record().group();
            remove(members);
            index.await(
                "group " + groupId + " is gone", () -> index.members(groupId).isEmpty(), TELLING);
            events.append(
                new PortLayerEvent(
                    Instant.now(),
                    PortLayerEvent.Type.GROUP_DESTROYED,
                    groupId,
                    groupId,
                    group.name()));
          }
          return members;
        });
  }

  /** As {@link dev.berth.portlayer.compute.ComputeService#find}. */
  public Optional<Group> find(String groupId) {
    return index.find(groupId);
  }

  /** As {@link dev.berth.portlayer.compute.ComputeService#list}. */
  public List<Group> list() {
    return index.groups();
  }

  /** As {@link dev.berth.portlayer.compute.ComputeService#capacity}: it follows the pool. */
  public Capacity capacity() {
    GroupIndex.Pool pool = index.pool();
    return new Capacity(
        pool.megahertz() * 1000 / vch.megahertz(),
        pool.memory(),
        mostVms,
        vch.overheadMebibytes() * MEBIBYTE);
  }

  /** The names of the cluster's groups of hosts, which placements may name. */
  public Set<String> hostGroups() {
    return hostGroups.names();
  }

  /** Makes what is not yet of record of a VM's attempts so, and nothing when everything is. */
  void keep(ManagedObjectReference vm) {
    keeping.with(
        vm.value(),
        () -> {
          Optional<Attempts> unkept = index.unkept(vm);
          unkept.ifPresent(
              attempts -> {
                vms.reconfigure(vm, attempts.option());
                index.kept(vm, attempts);
              });
          return unkept;
        });
  }

  private void tell(PortLayerEvent.Type type, GroupSpec spec) {
    events.append(new PortLayerEvent(Instant.now(), type, spec.id(), spec.id(), spec.name()));
  }

  /** One at a time of those who give the same id; two ids may have to wait for each other. */
  private static final class Locks {
    private final List<ReentrantLock> locks =
        IntStream.range(0, 64).mapToObj(i -> new ReentrantLock()).toList();

    <T> T with(String id, Supplier<T> work) {
      ReentrantLock lock = locks.get(Math.floorMod(id.hashCode(), locks.size()));
      lock.lock();
      try {
        return work.get();
      } finally {
        lock.unlock();
      }
    }
  }
}
