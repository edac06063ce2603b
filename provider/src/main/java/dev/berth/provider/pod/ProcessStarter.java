package dev.berth.provider.pod;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.compute.ContainerVm;
import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.FilesVolume;
import dev.berth.portlayer.compute.Group;
import dev.berth.portlayer.compute.InitialProcess;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.network.ContainerNetwork;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.provider.ProviderConfiguration;
import dev.berth.provider.lifecycle.Names;
import dev.berth.provider.lifecycle.Outcome;
import dev.berth.provider.lifecycle.PodEvent;
import dev.berth.provider.lifecycle.Problem;
import dev.berth.provider.translate.ClusterObjects;
import dev.berth.provider.translate.ConfigurationException;
import dev.berth.provider.translate.DownwardValues;
import dev.berth.provider.translate.Translator;
import dev.berth.provider.translate.VolumeException;
import dev.berth.provider.translate.VolumeFiles;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Starts a pod's process, and keeps the files in its volumes up to date. */
final class ProcessStarter {
  private final PortLayer portLayer;
  private final Translator translator;
  private final ProviderConfiguration configuration;
  private final Supplier<Map<String, Quantity>> allocatable;
  private final Semaphore boots;
  private final WrittenVolumes written = new WrittenVolumes();

  ProcessStarter(
      PortLayer portLayer,
      Translator translator,
      ProviderConfiguration configuration,
      Supplier<Map<String, Quantity>> allocatable) {
    this.portLayer = portLayer;
    this.translator = translator;
    this.configuration = configuration;
    this.allocatable = allocatable;
    this.boots = new Semaphore(configuration.containers().parallelStarts());
  }

  Outcome start(Pod pod, int attempt, ClusterObjects cluster, Consumer<PodEvent> events) {
    ContainerVm member = member(pod).orElse(null);
    if (member == null) {
      return new Outcome.Failed(Problem.Kind.SANDBOX, "the containerVM is gone");
    }
    ContainerVmSpec vm = member.spec();
    Optional<Image> image = portLayer.storage().findImage(vm.imageId());
    if (image.isEmpty()) {
      return new Outcome.Failed(Problem.Kind.RUN, "image " + vm.imageId() + " is gone");
    }
    try {
      DownwardValues downward = downward(pod, vm);
      List<FilesVolume> files = VolumeFiles.of(downward, cluster);
      ProcessSpec process =
          translator.process(downward, image.get().configuration(), cluster, nameServers(vm));
      translator.warnings(pod, nameServers(vm)).forEach(events);
      return start(pod, member, new InitialProcess(vm.id(), attempt, process, files), events);
    } catch (VolumeException missing) {
      return new Outcome.Failed(Problem.Kind.MOUNT, String.valueOf(missing.getMessage()));
    } catch (ConfigurationException wrong) {
      return new Outcome.Failed(Problem.Kind.CONFIGURATION, String.valueOf(wrong.getMessage()));
    }
  }

  private Outcome start(
      Pod pod, ContainerVm vm, InitialProcess process, Consumer<PodEvent> events) {
    String uid = pod.getMetadata().getUid();
    ContainerVm after;
    if (vm.ready()) {
      process.volumes().forEach(volume -> portLayer.compute().writeVolume(vm.spec().id(), volume));
      after =
          portLayer.compute().startProcess(vm.spec().id(), process.attempt(), process.process());
    } else {
      try {
        after = powerOn(uid, process);
      } catch (PortLayerException failure) {
        return switch (failure.code()) {
          case INTERRUPTED -> new Outcome.Cancelled();
          case INVALID_ARGUMENT, FAILED_PRECONDITION -> throw failure;
          default -> new Outcome.Failed(Problem.Kind.SANDBOX, String.valueOf(failure.getMessage()));
        };
      }
    }
    process.volumes().forEach(volume -> written.wrote(uid, volume));
    tell(pod, after, events);
    return new Outcome.Done();
  }

  private static void tell(Pod pod, ContainerVm vm, Consumer<PodEvent> events) {
    String container = pod.getSpec().getContainers().getFirst().getName();
    events.accept(PodEvent.normal("Created", "Created container: " + container));
    if (vm.process() instanceof ProcessState.Exited exited
        && exited.reason() == ProcessState.Reason.START_ERROR) {
      events.accept(PodEvent.warning("Failed", "Error: " + exited.message()));
    } else {
      events.accept(PodEvent.normal("Started", "Started container " + container));
    }
  }

  /** Boots the VM with its process. Few boot at a time, so that each keeps its deadline. */
  private ContainerVm powerOn(String podUid, InitialProcess process) {
    try {
      boots.acquire();
    } catch (InterruptedException cause) {
      throw PortLayerException.interrupted("waiting for a containerVM's turn to boot", cause);
    }
    try {
      return portLayer
          .compute()
          .powerOn(Names.group(podUid), List.of(process), configuration.containers().bootDeadline())
          .members()
          .getFirst();
    } finally {
      boots.release();
    }
  }

  /** Writes the volumes whose content is not what was written last. */
  Outcome refresh(Pod pod, ClusterObjects cluster) {
    ContainerVmSpec vm = member(pod).map(ContainerVm::spec).orElse(null);
    if (vm == null) {
      return new Outcome.Done();
    }
    try {
      for (FilesVolume volume : VolumeFiles.of(downward(pod, vm), cluster)) {
        if (written.differs(pod.getMetadata().getUid(), volume)) {
          portLayer.compute().writeVolume(vm.id(), volume);
          written.wrote(pod.getMetadata().getUid(), volume);
        }
      }
      return new Outcome.Done();
    } catch (VolumeException missing) {
      return new Outcome.Failed(Problem.Kind.REFRESH, String.valueOf(missing.getMessage()));
    }
  }

  void forget(Pod pod) {
    written.forget(pod.getMetadata().getUid());
  }

  private Optional<ContainerVm> member(Pod pod) {
    return portLayer
        .compute()
        .find(Names.group(pod.getMetadata().getUid()))
        .map(Group::members)
        .map(List::getFirst);
  }

  private DownwardValues downward(Pod pod, ContainerVmSpec vm) {
    return new DownwardValues(
        pod,
        configuration.node().internalAddresses(),
        vm.nics().stream().map(NicAttachment::primaryAddress).toList(),
        allocatable.get());
  }

  private List<String> nameServers(ContainerVmSpec vm) {
    return portLayer.network().networks().stream()
        .filter(network -> vm.nics().stream().anyMatch(nic -> nic.network().equals(network.name())))
        .map(ContainerNetwork::nameServers)
        .findFirst()
        .orElse(List.of());
  }
}
