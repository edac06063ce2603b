package dev.berth.portlayer.memory;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.compute.ComputeService;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.FilesVolume;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.HostInformation;
import dev.berth.portlayer.compute.InitialProcess;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.memory.World.GroupRecord;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageConfiguration;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Groups and their VMs as records in memory. */
final class MemoryCompute implements ComputeService {
  private final World world;

  MemoryCompute(World world) {
    this.world = world;
  }

  @Override
  public Group create(GroupSpec spec) {
    world.faults.enter(Operation.CREATE_GROUP);
    synchronized (world) {
      GroupRecord existing = world.groups.get(spec.id());
      if (existing == null) {
        check(spec);
        GroupRecord record = record(spec);
        world.groups.put(spec.id(), record);
        record.members().forEach(world::add);
        world.tell(PortLayerEvent.Type.GROUP_CREATED, spec.id(), spec.id(), spec.name());
      } else if (!existing.spec().equals(spec)) {
        throw new PortLayerException(
            Code.ALREADY_EXISTS, "group %s exists with another specification".formatted(spec.id()));
      }
    }
    return require(spec.id());
  }

  private GroupRecord record(GroupSpec spec) {
    List<MemoryVm> members =
        spec.members().stream()
            .map(member -> new MemoryVm(world, spec.id(), member, programs(member.imageId())))
            .toList();
    return new GroupRecord(spec, Instant.now(), members);
  }

  /** The program that an image's configuration names exists in that image. */
  private Set<String> programs(String imageId) {
    ImageConfiguration configuration =
        Optional.ofNullable(world.images.get(imageId))
            .map(Image::configuration)
            .orElse(ImageConfiguration.empty());
    return Stream.of(configuration.entrypoint(), configuration.command())
        .filter(list -> !list.isEmpty())
        .map(List::getFirst)
        .filter(program -> !Applets.knows(program))
        .collect(Collectors.toUnmodifiableSet());
  }

  private void check(GroupSpec spec) {
    if (spec.placement().hostGroup().isPresent()) {
      throw new PortLayerException(
          Code.UNSUPPORTED,
          "group %s: there are no host groups here, leave hostGroup out".formatted(spec.id()));
    }
    world.pool.requireFits(spec);
    for (ContainerVmSpec member : spec.members()) {
      if (world.vms.containsKey(member.id())) {
        throw new PortLayerException(
            Code.ALREADY_EXISTS, "containerVM %s exists in another group".formatted(member.id()));
      }
      member.disks().forEach(this::requireDisk);
      for (NicAttachment nic : member.nics()) {
        if (!nic.equals(world.endpoints.get(nic.id()))) {
          throw new PortLayerException(
              Code.NOT_FOUND, "there is no endpoint %s".formatted(nic.id()));
        }
      }
    }
  }

  private void requireDisk(DiskAttachment disk) {
    boolean there =
        disk.role() == DiskAttachment.Role.IMAGE
            ? world.images.values().stream().anyMatch(image -> image.disk().equals(disk))
            : world.disks.containsKey(disk.id());
    if (!there) {
      throw new PortLayerException(Code.NOT_FOUND, "there is no disk %s".formatted(disk.id()));
    }
  }

  @Override
  public Group powerOn(String groupId, List<InitialProcess> initial, Duration deadline) {
    GroupRecord record = record(groupId);
    record.spec().require(initial);
    world.faults.enter(Operation.POWER_ON);
    record.members().forEach(MemoryVm::powerOn);
    initial.forEach(this::start);
    return observe(record);
  }

  private void start(InitialProcess initial) {
    OptionalInt last = world.vm(initial.containerVmId()).last();
    if (last.isEmpty() || last.getAsInt() != initial.attempt()) {
      initial.volumes().forEach(volume -> writeVolume(initial.containerVmId(), volume));
      var _ = startProcess(initial.containerVmId(), initial.attempt(), initial.process());
    }
  }

  @Override
  public Group powerOff(String groupId, Duration gracePeriod) {
    GroupRecord record = record(groupId);
    world.faults.enter(Operation.POWER_OFF);
    record.members().forEach(vm -> vm.stop(gracePeriod));
    record.members().forEach(MemoryVm::cut);
    return observe(record);
  }

  @Override
  public void destroy(String groupId) {
    world.faults.enter(Operation.DESTROY);
    GroupRecord record;
    synchronized (world) {
      record = world.groups.remove(groupId);
      if (record == null) {
        return;
      }
      record.members().forEach(world::remove);
    }
    record.members().forEach(MemoryVm::cut);
    world.tell(PortLayerEvent.Type.GROUP_DESTROYED, groupId, groupId, record.spec().name());
  }

  @Override
  public Optional<Group> find(String groupId) {
    return Optional.ofNullable(world.groups.get(groupId)).map(MemoryCompute::observe);
  }

  @Override
  public List<Group> list() {
    return world.groups.values().stream().map(MemoryCompute::observe).toList();
  }

  private static Group observe(GroupRecord record) {
    return new Group(
        record.spec(),
        record.createdAt(),
        record.members().stream().map(MemoryVm::observe).toList());
  }

  private GroupRecord record(String groupId) {
    return Optional.ofNullable(world.groups.get(groupId))
        .orElseThrow(
            () ->
                new PortLayerException(Code.NOT_FOUND, "there is no group %s".formatted(groupId)));
  }

  private Group require(String groupId) {
    return observe(record(groupId));
  }

  @Override
  public void writeVolume(String containerVmId, FilesVolume volume) {
    MemoryVm vm = world.vm(containerVmId);
    world.faults.enter(Operation.WRITE_VOLUME);
    vm.writeVolume(volume);
  }

  @Override
  public ContainerVm startProcess(String containerVmId, int attempt, ProcessSpec process) {
    MemoryVm vm = world.vm(containerVmId);
    world.faults.enter(Operation.START_PROCESS);
    return vm.start(attempt, process);
  }

  @Override
  public ContainerVm stopProcess(String containerVmId, Duration gracePeriod) {
    MemoryVm vm = world.vm(containerVmId);
    world.faults.enter(Operation.STOP_PROCESS);
    return vm.stop(gracePeriod);
  }

  @Override
  public Capacity capacity() {
    return world.pool.capacity();
  }

  @Override
  public HostInformation host() {
    return new HostInformation(
        "6.1.0-memory", "Debian GNU/Linux 12 (containerVM)", "amd64", "memory://1.0.0");
  }
}
