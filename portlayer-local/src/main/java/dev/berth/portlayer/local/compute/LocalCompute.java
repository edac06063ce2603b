package dev.berth.portlayer.local.compute;

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
import dev.berth.portlayer.compute.ResourcePool;
import dev.berth.portlayer.events.PortLayerEvent;
import dev.berth.portlayer.interaction.LogSource;
import dev.berth.portlayer.local.host.AtomicFiles;
import dev.berth.portlayer.local.qemu.QemuCommand;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.tether.TetherClient;
import dev.berth.portlayer.tether.TetherInteraction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Groups of QEMU processes, each in a directory with its state of record. */
public final class LocalCompute implements ComputeService, TetherInteraction.Guests, AutoCloseable {
  private static final String GROUP_FILE = "group.json";

  private final Environment environment;
  private final ResourcePool pool;
  private final Map<String, GroupMachines> groups = new ConcurrentHashMap<>();
  private final Thread logs;

  private record GroupRecord(GroupSpec spec, Instant createdAt) {}

  private record GroupMachines(GroupSpec spec, Instant createdAt, List<Machine> machines) {
    Group observe() {
      return new Group(spec, createdAt, machines.stream().map(Machine::observe).toList());
    }
  }

  public LocalCompute(Environment environment, Capacity capacity) {
    this.environment = environment;
    this.pool = new ResourcePool(capacity);
    AtomicFiles.directory(environment.groups());
    for (Path directory : directories()) {
      AtomicFiles.read(directory.resolve(GROUP_FILE), GroupRecord.class)
          .ifPresent(record -> groups.put(record.spec().id(), machines(record, directory)));
    }
    onEach(machines().toList(), Machine::adopt);
    logs =
        new LogTrimmer(environment.commands()).start(() -> machines().map(Machine::files).toList());
  }

  /** The groups' directories; what a crash left half made or half deleted is removed. */
  private List<Path> directories() {
    try (Stream<Path> all = Files.list(environment.groups())) {
      List<Path> found = all.toList();
      found.stream().filter(LocalCompute::unfinished).forEach(AtomicFiles::delete);
      return found.stream().filter(path -> !unfinished(path)).toList();
    } catch (IOException e) {
      throw AtomicFiles.failure("list", environment.groups(), e);
    }
  }

  private static boolean unfinished(Path path) {
    return String.valueOf(path.getFileName()).startsWith(".");
  }

  private GroupMachines machines(GroupRecord record, Path directory) {
    return new GroupMachines(
        record.spec(),
        record.createdAt(),
        record.spec().members().stream()
            .map(
                member ->
                    new Machine(
                        environment,
                        pool,
                        record.spec().id(),
                        member,
                        directory.resolve(member.id())))
            .toList());
  }

  @Override
  public Group create(GroupSpec spec) {
    synchronized (groups) {
      GroupMachines present = groups.get(spec.id());
      if (present != null) {
        if (!present.spec().equals(spec)) {
          throw new PortLayerException(
              Code.ALREADY_EXISTS,
              "group %s exists with another specification".formatted(spec.id()));
        }
        return present.observe();
      }
      check(spec);
      GroupRecord record = new GroupRecord(spec, Instant.now());
      GroupMachines made = machines(record, write(record));
      groups.put(spec.id(), made);
      tell(PortLayerEvent.Type.GROUP_CREATED, spec);
      return made.observe();
    }
  }

  private Path write(GroupRecord record) {
    Path place = environment.groups().resolve(record.spec().id());
    Path unfinished = environment.groups().resolve(".new-" + record.spec().id());
    AtomicFiles.delete(unfinished);
    try {
      AtomicFiles.directory(unfinished);
      AtomicFiles.write(unfinished.resolve(GROUP_FILE), record);
      AtomicFiles.move(unfinished, place);
      return place;
    } catch (IOException e) {
      throw AtomicFiles.failure("write", place, e);
    } finally {
      AtomicFiles.delete(unfinished);
    }
  }

  private void check(GroupSpec spec) {
    if (spec.placement().hostGroup().isPresent()) {
      throw new PortLayerException(
          Code.UNSUPPORTED,
          "group %s: there are no host groups on a single machine, leave hostGroup out"
              .formatted(spec.id()));
    }
    pool.requireFits(spec);
    for (ContainerVmSpec member : spec.members()) {
      if (findMachine(member.id()).isPresent()) {
        throw new PortLayerException(
            Code.ALREADY_EXISTS, "containerVM %s exists in another group".formatted(member.id()));
      }
      member.disks().forEach(disk -> requireDisk(member, disk));
      member.nics().forEach(environment.network()::requireEndpoint);
      int limit = QemuCommand.deviceLimit(environment.artifact().machine());
      if (member.disks().size() + member.nics().size() > limit) {
        throw new PortLayerException(
            Code.UNSUPPORTED,
            "containerVM %s has more than the %d disks and interfaces that its machine can have"
                .formatted(member.id(), limit));
      }
    }
  }

  private static void requireDisk(ContainerVmSpec member, DiskAttachment disk) {
    if (!Files.exists(Path.of(disk.location()))) {
      throw new PortLayerException(
          Code.NOT_FOUND,
          "containerVM %s: disk %s does not exist".formatted(member.id(), disk.id()));
    }
  }

  @Override
  public Group powerOn(String groupId, List<InitialProcess> initial, Duration deadline) {
    GroupMachines group = require(groupId);
    group.spec().require(initial);
    long end = System.nanoTime() + deadline.toNanos();
    onEach(
        group.machines(),
        machine -> {
          String id = machine.spec().id();
          machine.powerOn(
              initial.stream().filter(process -> process.containerVmId().equals(id)).findFirst(),
              end);
        });
    return group.observe();
  }

  @Override
  public Group powerOff(String groupId, Duration gracePeriod) {
    GroupMachines group = require(groupId);
    onEach(group.machines(), machine -> machine.powerOff(gracePeriod));
    return group.observe();
  }

  @Override
  public void destroy(String groupId) {
    GroupMachines group = groups.get(groupId);
    if (group == null) {
      return;
    }
    onEach(group.machines(), Machine::cut);
    synchronized (groups) {
      if (!groups.remove(groupId, group)) {
        return;
      }
      group.machines().forEach(Machine::close);
      Path place = environment.groups().resolve(groupId);
      Path doomed = environment.groups().resolve(".old-" + groupId);
      AtomicFiles.delete(doomed);
      try {
        AtomicFiles.move(place, doomed);
      } catch (IOException e) {
        throw AtomicFiles.failure("delete", place, e);
      }
      AtomicFiles.delete(doomed);
      tell(PortLayerEvent.Type.GROUP_DESTROYED, group.spec());
    }
  }

  @Override
  public Optional<Group> find(String groupId) {
    return Optional.ofNullable(groups.get(groupId)).map(GroupMachines::observe);
  }

  @Override
  public List<Group> list() {
    return groups.values().stream().map(GroupMachines::observe).toList();
  }

  @Override
  public void writeVolume(String containerVmId, FilesVolume volume) {
    Machine machine = machine(containerVmId);
    machine.requireReady();
    machine.tether().writeVolume(volume);
  }

  @Override
  public ContainerVm startProcess(String containerVmId, int attempt, ProcessSpec process) {
    return machine(containerVmId).start(attempt, process);
  }

  @Override
  public ContainerVm stopProcess(String containerVmId, Duration gracePeriod) {
    return machine(containerVmId).stop(gracePeriod);
  }

  @Override
  public Capacity capacity() {
    return pool.capacity();
  }

  @Override
  public HostInformation host() {
    return new HostInformation(
        environment.artifact().kernelVersion(),
        "Debian GNU/Linux 12 (containerVM)",
        "amd64",
        "qemu://" + environment.qemuVersion());
  }

  /** Whether a disk belongs to a containerVM that is powered on. */
  public boolean attached(String diskId) {
    return machines()
        .filter(machine -> machine.state().poweredOn())
        .flatMap(machine -> machine.spec().disks().stream())
        .anyMatch(disk -> disk.id().equals(diskId));
  }

  @Override
  public ContainerVm observe(String containerVmId) {
    return machine(containerVmId).observe();
  }

  @Override
  public TetherClient tether(String containerVmId) {
    return machine(containerVmId).tether();
  }

  @Override
  public LogSource log(String containerVmId, boolean following) {
    return new FileLogSource(machine(containerVmId).files(), environment.watcher());
  }

  /** The group's machine of an id; NOT_FOUND otherwise. */
  private Machine machine(String id) {
    return findMachine(id)
        .orElseThrow(() -> new PortLayerException(Code.NOT_FOUND, "there is no containerVM " + id));
  }

  private Optional<Machine> findMachine(String id) {
    return machines().filter(machine -> machine.spec().id().equals(id)).findFirst();
  }

  private GroupMachines require(String groupId) {
    GroupMachines group = groups.get(groupId);
    if (group == null) {
      throw new PortLayerException(Code.NOT_FOUND, "there is no group " + groupId);
    }
    return group;
  }

  /** Does the same to all at once; the first failure is thrown when all are done. */
  private static void onEach(List<Machine> machines, Consumer<Machine> action) {
    if (machines.size() == 1) {
      action.accept(machines.getFirst());
      return;
    }
    try (var executor = Executors.newVirtualThreadPerTaskExecutor()) {
      CompletableFuture<?>[] all =
          machines.stream()
              .map(machine -> CompletableFuture.runAsync(() -> action.accept(machine), executor))
              .toArray(CompletableFuture[]::new);
      CompletableFuture.allOf(all).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof PortLayerException cause) {
        throw cause;
      }
      throw e;
    }
  }

  private void tell(PortLayerEvent.Type type, GroupSpec spec) {
    environment
        .events()
        .append(new PortLayerEvent(Instant.now(), type, spec.id(), spec.id(), spec.name()));
  }

  /** Forgets the machines; their VMs go on. */
  @Override
  public void close() {
    logs.interrupt();
    machines().forEach(Machine::close);
  }

  private Stream<Machine> machines() {
    return groups.values().stream().flatMap(group -> group.machines().stream());
  }
}
