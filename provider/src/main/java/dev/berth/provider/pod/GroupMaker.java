package dev.berth.provider.pod;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.provider.lifecycle.Names;
import dev.berth.provider.lifecycle.Outcome;
import dev.berth.provider.lifecycle.PodMemory.ReadyImage;
import dev.berth.provider.lifecycle.Problem;
import dev.berth.provider.translate.Translator;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes and removes a pod's group with its disks and its address. */
final class GroupMaker {
  private final PortLayer portLayer;
  private final Translator translator;

  GroupMaker(PortLayer portLayer, Translator translator) {
    this.portLayer = portLayer;
    this.translator = translator;
  }

  Outcome create(Pod pod, ReadyImage ready, int firstAttempt) {
    Optional<Image> image = portLayer.storage().findImage(ready.id());
    if (image.isEmpty()) {
      return new Outcome.Failed(
          Problem.Kind.IMAGE_PULL, "the image was removed before it could be used");
    }
    String uid = pod.getMetadata().getUid();
    Container container = pod.getSpec().getContainers().getFirst();
    String network = portLayer.network().networks().getFirst().name();
    NicAttachment nic = portLayer.network().createEndpoint(Names.group(uid), network);
    List<DiskAttachment> disks = new ArrayList<>();
    disks.add(
        portLayer
            .storage()
            .createDisk(
                Names.scratchDisk(uid, container.getName()),
                DiskAttachment.Role.SCRATCH,
                translator.scratchSize(container)));
    translator
        .volumeDisks(pod)
        .forEach(
            (id, size) ->
                disks.add(portLayer.storage().createDisk(id, DiskAttachment.Role.VOLUME, size)));
    portLayer
        .compute()
        .create(translator.group(pod, image.get(), ready.reference(), disks, nic, firstAttempt));
    return new Outcome.Done();
  }

  /** Idempotent; also of a group that was made half. */
  void destroy(Pod pod) {
    String uid = pod.getMetadata().getUid();
    portLayer.compute().destroy(Names.group(uid));
    for (Container container : pod.getSpec().getContainers()) {
      portLayer.storage().deleteDisk(Names.scratchDisk(uid, container.getName()));
    }
    translator.volumeDisks(pod).keySet().forEach(portLayer.storage()::deleteDisk);
    portLayer.network().deleteEndpoint(Names.group(uid));
  }
}
