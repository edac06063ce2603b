package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.Capacity;
import dev.berth.portlayer.compute.ComputeService;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.FilesVolume;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.HostInformation;
import dev.berth.portlayer.compute.InitialProcess;
import dev.berth.portlayer.compute.PowerState;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.tether.SerialEndpoint;
import dev.berth.portlayer.tether.TetherClient;
import dev.berth.portlayer.tether.TetherClients;
import dev.berth.portlayer.tether.TetherMessages;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Groups of VMs, and the process in each. What a guest does is heard from vCenter, which keeps its
 * last words, and from the guest itself when it answers; processes and their secrets go to it over
 * its control session alone.
 */
public final class VsphereCompute implements ComputeService, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(VsphereCompute.class);

  /** A guest needs this long at most to power itself off once its process is over. */
  private static final Duration SHUTDOWN = Duration.ofSeconds(20);

  /** After which an attempt has not begun, and never will. */
  private static final Set<Code> REFUSALS =
      EnumSet.of(Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.FAILED_PRECONDITION);

  private final VsphereGroups groups;
  private final GroupIndex index;
  private final HostInformation host;
  private final Tethers tethers;

  /**
   * @param host what stands below the VCH
   * @param endpoint where the VMs' control ports are dialled to; not closed with this object
   * @param controlInterface of this machine, on the network of the VMs' control interfaces
   * @param news takes the id of each containerVM whose state has changed, and returns at once
   */
  public VsphereCompute(
      VsphereGroups groups,
      GroupIndex index,
      HostInformation host,
      TetherClients clients,
      SerialEndpoint endpoint,
      Optional<String> controlInterface,
      Consumer<String> news) {
    this.groups = groups;
    this.index = index;
    this.host = host;
    this.tethers = new Tethers(clients, endpoint, controlInterface, index);
    index.observe(
        new GroupIndex.Observer() {
          @Override
          public void keep(ManagedObjectReference vm) {
            tryToKeep(vm);
          }

          @Override
          public void changed(Member now) {
            if (now.power() == PowerState.OFF) {
              tethers.forget(now.id());
            }
            news.accept(now.id());
          }

          @Override
          public void gone(String containerVmId) {
            tethers.forget(containerVmId);
            news.accept(containerVmId);
          }
        });
  }

  private void tryToKeep(ManagedObjectReference vm) {
    try {
      groups.keep(vm);
    } catch (PortLayerException e) {
      if (e.code() != Code.NOT_FOUND) {
        LOG.warn("What became of the process in {} is not of record: {}", vm, e.getMessage());
      }
    }
  }

  @Override
  public Group create(GroupSpec spec) {
    return groups.create(spec);
  }

  @Override
  public Group powerOn(String groupId, List<InitialProcess> initial, Duration deadline) {
    GroupSpec spec = require(groupId).spec();
    spec.require(initial);
    long end = System.nanoTime() + deadline.toNanos();
    initial.forEach(this::check);
    groups.powerOn(groupId);
    Parallel.each(
        spec.members(),
        member -> {
          awaitReady(member.id(), end);
          initial.stream()
              .filter(process -> process.containerVmId().equals(member.id()))
              .findFirst()
              .ifPresent(this::start);
        });
    return require(groupId);
  }

  /** Refuses what cannot be before anything is powered on. */
  private void check(InitialProcess process) {
    var _ = vm(process.containerVmId()).isNew(process.attempt());
  }

  private void start(InitialProcess initial) {
    String id = initial.containerVmId();
    if (vm(id).requireReady().isNew(initial.attempt())) {
      initial.volumes().forEach(tethers.get(id)::writeVolume);
      startProcess(id, initial.attempt(), initial.process());
    }
  }

  private void awaitReady(String id, long end) {
    Predicate<Member> settled =
        member ->
            member.power() == PowerState.OFF
                || (member.seen().ready() && member.certificate().isPresent());
    try {
      await(id, settled, "is ready", Duration.ofNanos(Math.max(0, end - System.nanoTime())));
    } catch (PortLayerException e) {
      if (e.code() != Code.DEADLINE_EXCEEDED) {
        throw e;
      }
      throw new PortLayerException(
          Code.DEADLINE_EXCEEDED,
          "containerVM %s is not ready yet%s".formatted(id, message(id)),
          e);
    }
    if (member(id).power() == PowerState.OFF) {
      throw new PortLayerException(
          Code.UNAVAILABLE, "containerVM %s did not boot%s".formatted(id, message(id)));
    }
  }

  private String message(String id) {
    String said = member(id).message();
    return said.isEmpty() ? "; its log may tell why" : "; its guest said: " + said;
  }

  @Override
  public Group powerOff(String groupId, Duration gracePeriod) {
    Group group = require(groupId);
    Parallel.each(
        group.members().stream().filter(ContainerVm::ready).map(vm -> vm.spec().id()).toList(),
        id -> shutDown(id, gracePeriod));
    groups.powerOff(groupId);
    return require(groupId);
  }

  private void shutDown(String id, Duration gracePeriod) {
    try {
      // First alone, so that its end is of record whatever becomes of the guest.
      var _ = stopProcess(id, gracePeriod);
      tethers.get(id).shutdown(Duration.ZERO);
      await(id, member -> member.power() == PowerState.OFF, "is off", SHUTDOWN);
    } catch (PortLayerException e) {
      if (e.code() == Code.INTERRUPTED) {
        throw e;
      }
      LOG.info("containerVM {} is cut off: {}", id, e.getMessage());
    }
  }

  @Override
  public void destroy(String groupId) {
    groups.destroy(groupId);
  }

  @Override
  public Optional<Group> find(String groupId) {
    return groups.find(groupId);
  }

  @Override
  public List<Group> list() {
    return groups.list();
  }

  @Override
  public void writeVolume(String containerVmId, FilesVolume volume) {
    var _ = vm(containerVmId).requireReady();
    tethers.get(containerVmId).writeVolume(volume);
  }

  @Override
  public ContainerVm startProcess(String containerVmId, int attempt, ProcessSpec process) {
    Member member = member(containerVmId);
    ContainerVm vm = member.seen().requireReady();
    if (!vm.isNew(attempt)) {
      return vm;
    }
    ManagedObjectReference reference = member.vm();
    index.begin(reference, attempt);
    // Of record first: when its VM goes and nobody has heard of it, it was lost and not unborn.
    groups.keep(reference);
    TetherClient tether = tethers.get(containerVmId);
    try {
      index.hear(
          reference,
          TetherMessages.report(
              tether.start(attempt, process, disk -> VmTranslation.serial(vm.spec(), disk))));
    } catch (PortLayerException e) {
      if (REFUSALS.contains(e.code())) {
        index.refuse(reference);
      }
      throw e;
    }
    return vm(containerVmId);
  }

  @Override
  public ContainerVm stopProcess(String containerVmId, Duration gracePeriod) {
    Member member = member(containerVmId);
    if (member.seen().process() instanceof ProcessState.Running) {
      index.hear(member.vm(), TetherMessages.report(tethers.get(containerVmId).stop(gracePeriod)));
    }
    return vm(containerVmId);
  }

  @Override
  public Capacity capacity() {
    return groups.capacity();
  }

  @Override
  public HostInformation host() {
    return host;
  }

  /**
   * A containerVM as observed.
   *
   * @throws PortLayerException NOT_FOUND
   */
  public ContainerVm vm(String containerVmId) {
    return member(containerVmId).seen();
  }

  /** The way to a containerVM's tether. */
  public TetherClient tether(String containerVmId) {
    return tethers.get(containerVmId);
  }

  private Member member(String id) {
    return index
        .member(id)
        .orElseThrow(() -> new PortLayerException(Code.NOT_FOUND, "there is no containerVM " + id));
  }

  private void await(String id, Predicate<Member> wanted, String what, Duration deadline) {
    index.await(
        "containerVM %s %s".formatted(id, what),
        () -> index.member(id).filter(member -> !wanted.test(member)).isEmpty(),
        deadline);
  }

  private Group require(String groupId) {
    return groups
        .find(groupId)
        .orElseThrow(() -> new PortLayerException(Code.NOT_FOUND, "there is no group " + groupId));
  }

  /** Ends what is under way with guests; VMs go on. */
  @Override
  public void close() {
    tethers.close();
  }
}
