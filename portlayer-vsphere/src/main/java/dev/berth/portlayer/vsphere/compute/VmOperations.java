package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.client.DatastoreFiles;
import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.PropertyStream;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.client.VimFault;
import dev.berth.portlayer.vsphere.vim.ManagedObjectReference;
import dev.berth.portlayer.vsphere.vim.Methods;
import dev.berth.portlayer.vsphere.vim.Tasks.ClusterAttemptedVmInfo;
import dev.berth.portlayer.vsphere.vim.Tasks.ClusterNotAttemptedVmInfo;
import dev.berth.portlayer.vsphere.vim.Tasks.ClusterPowerOnVmResult;
import dev.berth.portlayer.vsphere.vim.VmSpecs.OptionValue;
import dev.berth.portlayer.vsphere.vim.VmSpecs.VirtualMachineConfigSpec;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What is done to VMs, each so that doing it again does no harm. */
final class VmOperations {
  private static final Duration DEADLINE = Duration.ofMinutes(10);

  /** How long a VM is waited for that may have been created without an answer. */
  private static final Duration LOST = Duration.ofSeconds(5);

  private final VimClient client;
  private final PropertyStream stream;
  private final GroupIndex index;
  private final DatastoreFiles files;
  private final VchSettings vch;
  private final VmTranslation translation;

  private final Set<Remains> remains = ConcurrentHashMap.newKeySet();

  /** The files of a VM that is gone. */
  private record Remains(String group, String containerVm) {}

  VmOperations(
      VimClient client,
      PropertyStream stream,
      GroupIndex index,
      DatastoreFiles files,
      VchSettings vch) {
    this.client = client;
    this.stream = stream;
    this.index = index;
    this.files = files;
    this.vch = vch;
    translation = new VmTranslation(vch);
  }

  /** Creates the VM of a record; takes the one that is there when an answer was lost. */
  ManagedObjectReference create(VmRecord record) {
    try {
      var task =
          stream.run(
              vch.folder(),
              new Methods.CreateVm(translation.translate(record), vch.pool(), null),
              DEADLINE);
      return Objects.requireNonNull(task.result()).as(ManagedObjectReference.class);
    } catch (VimFault fault) {
      PortLayerException failure = fault.toPortLayer();
      if (failure.code() != Code.ALREADY_EXISTS) {
        throw failure;
      }
      return found(record).orElseThrow(() -> failure);
    } catch (PortLayerException e) {
      if (e.code() != Code.UNAVAILABLE) {
        throw e;
      }
      return awaited(record).orElseThrow(() -> e);
    }
  }

  private Optional<ManagedObjectReference> awaited(VmRecord record) {
    try {
      index.await(
          "containerVM " + record.vm().id() + " exists",
          () -> index.member(record).isPresent(),
          LOST);
    } catch (PortLayerException e) {
      if (e.code() != Code.DEADLINE_EXCEEDED) {
        throw e;
      }
    }
    return index.member(record);
  }

  /** The VM with a record's name, if it has that record. */
  Optional<ManagedObjectReference> found(VmRecord record) {
    try {
      return client
          .find(
              client.content().searchIndex(), new Methods.FindChild(vch.folder(), Names.vm(record)))
          .filter(vm -> VmRecord.parse(vch.name(), extraConfig(vm)).equals(Optional.of(record)));
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  private List<OptionValue> extraConfig(ManagedObjectReference vm) {
    return ManagedObject.read(client, vm, List.of(IndexedVm.EXTRA_CONFIG))
        .list(IndexedVm.EXTRA_CONFIG, OptionValue.class);
  }

  /**
   * Powers VMs on together, placed by DRS.
   *
   * @throws PortLayerException RESOURCE_EXHAUSTED, …; some may be on
   */
  void powerOn(List<ManagedObjectReference> vms) {
    try {
      var task = stream.run(vch.datacenter(), new Methods.PowerOnMultiVm(vms, List.of()), DEADLINE);
      if (task.result() != null) {
        awaitEach(task.result().as(ClusterPowerOnVmResult.class));
      }
    } catch (VimFault fault) {
      if (!fault.is("InvalidPowerState")) {
        throw fault.toPortLayer();
      }
    }
  }

  private void awaitEach(ClusterPowerOnVmResult result) {
    for (ClusterNotAttemptedVmInfo refused : result.notAttempted()) {
      throw VimFault.ofTask("PowerOnMultiVM_Task of " + refused.vm(), refused.fault());
    }
    for (ClusterAttemptedVmInfo attempted : result.attempted()) {
      if (attempted.task() != null) {
        stream.await(attempted.task(), DEADLINE);
      }
    }
  }

  /**
   * Sets keys of a VM's extraConfig.
   *
   * @throws PortLayerException NOT_FOUND when it is gone, UNAVAILABLE, …
   */
  void reconfigure(ManagedObjectReference vm, OptionValue... options) {
    try {
      stream.run(
          vm,
          new Methods.ReconfigVm(VirtualMachineConfigSpec.ofExtraConfig(List.of(options))),
          DEADLINE);
    } catch (VimFault fault) {
      throw fault.toPortLayer();
    }
  }

  /** Powers a VM off; one that is off, or gone, is. */
  void powerOff(ManagedObjectReference vm) {
    try {
      stream.run(vm, new Methods.PowerOffVm(), DEADLINE);
    } catch (VimFault fault) {
      if (!fault.is("InvalidPowerState", "ManagedObjectNotFound")) {
        throw fault.toPortLayer();
      }
    }
  }

  /** Ends and deletes a VM. Its disks, which are not in its folder, stay. */
  void remove(Member member) {
    powerOff(member.vm());
    remove(member.vm(), member.record());
  }

  /** Deletes a VM that is off. */
  void remove(ManagedObjectReference vm, VmRecord record) {
    try {
      client.run(vm, new Methods.UnregisterVm());
    } catch (VimFault fault) {
      if (!fault.is("ManagedObjectNotFound")) {
        throw fault.toPortLayer();
      }
    }
    deleteFiles(record.group().id(), record.vm().id());
  }

  /** Nobody finds them by their VM any more: who asks again for the group's end deletes them. */
  private void deleteFiles(String groupId, String containerVmId) {
    Remains folder = new Remains(groupId, containerVmId);
    remains.add(folder);
    files.delete(vch.files(containerVmId));
    remains.remove(folder);
  }

  /** Deletes the files of VMs of a group that are gone. */
  void deleteRemains(String groupId) {
    List.copyOf(remains).stream()
        .filter(folder -> folder.group().equals(groupId))
        .forEach(folder -> deleteFiles(groupId, folder.containerVm()));
  }
}
