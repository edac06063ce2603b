package dev.berth.provider.translate;

import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.network.NicAttachment;
import dev.berth.portlayer.storage.DiskAttachment;
import dev.berth.portlayer.storage.Image;
import dev.berth.portlayer.storage.ImageConfiguration;
import dev.berth.provider.ProviderConfiguration;
import dev.berth.provider.lifecycle.Names;
import dev.berth.provider.lifecycle.PodEvent;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** From a pod's specification to the port layer's. */
public final class Translator {
  private final ProviderConfiguration configuration;

  public Translator(ProviderConfiguration configuration) {
    this.configuration = configuration;
  }

  /** Bytes of the container's scratch disk. */
  public long scratchSize(Container container) {
    return ResourceMapping.scratch(container, configuration.containers().scratchSize());
  }

  /** The disks of emptyDirs with a size limit, by identity, with their sizes in bytes. */
  public Map<String, Long> volumeDisks(Pod pod) {
    Map<String, Long> disks = new LinkedHashMap<>();
    Volumes.disks(pod).forEach(disk -> disks.put(disk.id(), disk.size()));
    return disks;
  }

  /**
   * The pod's group.
   *
   * @param imageReference the status's {@code imageID}
   * @param disks scratch disk and volumes
   * @param firstAttempt the attempt it begins with
   */
  public GroupSpec group(
      Pod pod,
      Image image,
      String imageReference,
      List<DiskAttachment> disks,
      NicAttachment nic,
      int firstAttempt) {
    Container container = pod.getSpec().getContainers().getFirst();
    List<DiskAttachment> all = new ArrayList<>();
    all.add(image.disk());
    all.addAll(disks);
    String uid = pod.getMetadata().getUid();
    String namespace = pod.getMetadata().getNamespace();
    ContainerVmSpec member =
        new ContainerVmSpec(
            Names.containerVm(uid, container.getName()),
            NameResolution.hostname(pod),
            ResourceMapping.of(container, configuration.containers().defaultMemory()),
            image.id(),
            all,
            List.of(nic),
            Map.of(
                Names.CONTAINER, container.getName(),
                Names.IMAGE, container.getImage(),
                Names.IMAGE_REFERENCE, imageReference));
    return new GroupSpec(
        Names.group(uid),
        namespace + "/" + pod.getMetadata().getName(),
        new Placement(true, configuration.hostGroups().of(namespace)),
        List.of(member),
        Map.of(
            Names.PERSONALITY,
            Names.KUBERNETES,
            Names.NODE,
            configuration.node().name(),
            Names.POD_NAMESPACE,
            namespace,
            Names.POD_NAME,
            pod.getMetadata().getName(),
            Names.POD_UID,
            uid,
            Names.FIRST_ATTEMPT,
            Integer.toString(firstAttempt)));
  }

  /** What of the pod's wishes is cut down to what can be had, as the kubelet's events. */
  public List<PodEvent> warnings(Pod pod, List<String> networkServers) {
    return NameResolution.warnings(pod, configuration.cluster(), networkServers);
  }

  /**
   * The container's process with the image's configuration merged in.
   *
   * @param networkServers the DNS servers of its network
   * @throws ConfigurationException when it cannot be made as configured
   */
  public ProcessSpec process(
      DownwardValues downward,
      ImageConfiguration image,
      ClusterObjects cluster,
      List<String> networkServers) {
    Pod pod = downward.pod();
    Container container = pod.getSpec().getContainers().getFirst();
    Map<String, String> environment =
        Environment.of(container, downward, cluster, configuration.cluster().apiServer());
    return new ProcessSpec(
        arguments(container, image, environment),
        variables(image, environment),
        workingDirectory(container, image),
        set(container.getTty()),
        set(container.getStdin()),
        set(container.getStdinOnce()),
        image.stopSignal(),
        SecurityMapping.of(
            pod, container, image.user(), configuration.containers().seccompDefault()),
        Volumes.mounts(pod, container, environment),
        List.of(),
        NameResolution.of(pod, configuration.cluster(), networkServers),
        terminationMessage(container));
  }

  /** As containerd: a command replaces entrypoint and command, arguments replace the command. */
  private static List<String> arguments(
      Container container, ImageConfiguration image, Map<String, String> environment) {
    List<String> command = expanded(container.getCommand(), environment);
    List<String> arguments = expanded(container.getArgs(), environment);
    List<String> result = new ArrayList<>(command.isEmpty() ? image.entrypoint() : command);
    if (!arguments.isEmpty()) {
      result.addAll(arguments);
    } else if (command.isEmpty()) {
      result.addAll(image.command());
    }
    if (result.isEmpty()) {
      throw new ConfigurationException("no command specified");
    }
    return result;
  }

  private static List<String> expanded(List<String> texts, Map<String, String> environment) {
    return texts.stream().map(text -> Expansion.expand(text, environment)).toList();
  }

  private static List<String> variables(ImageConfiguration image, Map<String, String> environment) {
    List<String> result = new ArrayList<>(image.environment());
    environment.forEach((name, value) -> result.add(name + "=" + value));
    return result;
  }

  private static String workingDirectory(Container container, ImageConfiguration image) {
    String own = container.getWorkingDir();
    return own == null || own.isEmpty() ? image.workingDirectory() : own;
  }

  private static ProcessSpec.TerminationMessage terminationMessage(Container container) {
    String path = container.getTerminationMessagePath();
    return new ProcessSpec.TerminationMessage(
        path == null || path.isEmpty() ? "/dev/termination-log" : path,
        "FallbackToLogsOnError".equals(container.getTerminationMessagePolicy()));
  }

  private static boolean set(Boolean flag) {
    return flag != null && flag;
  }
}
