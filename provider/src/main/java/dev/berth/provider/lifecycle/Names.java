package dev.berth.provider.lifecycle;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The identities and labels under which pods live at the port layer. */
public final class Names {
  public static final String PERSONALITY = "berth.dev/personality";
  public static final String KUBERNETES = "kubernetes";
  public static final String NODE = "berth.dev/node";
  public static final String POD_NAMESPACE = "io.kubernetes.pod.namespace";
  public static final String POD_NAME = "io.kubernetes.pod.name";
  public static final String POD_UID = "io.kubernetes.pod.uid";
  public static final String CONTAINER = "io.kubernetes.container.name";

  /** The pod's own word for the image. */
  public static final String IMAGE = "berth.dev/image";

  /** What the status shows as {@code imageID}. */
  public static final String IMAGE_REFERENCE = "berth.dev/image-reference";

  /** The attempt a group begins with: not 0 when it replaces another. */
  public static final String FIRST_ATTEMPT = "berth.dev/first-attempt";

  private static final Pattern OURS = Pattern.compile("pod\\.([0-9a-f-]{36})(\\..*)?");

  private static final Pattern CONTAINER_VM = Pattern.compile("[0-9a-f-]{36}\\.(.+)");

  private Names() {}

  /** Of the group and of the pod's endpoint. */
  public static String group(String podUid) {
    return "pod." + podUid;
  }

  public static String containerVm(String podUid, String container) {
    return podUid + "." + container;
  }

  /** The container's name in the id of its containerVM; empty when it is none of ours. */
  public static Optional<String> container(String containerVmId) {
    Matcher matcher = CONTAINER_VM.matcher(containerVmId);
    return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  public static String scratchDisk(String podUid, String container) {
    return group(podUid) + ".scratch." + container;
  }

  public static String volumeDisk(String podUid, String volume) {
    return group(podUid) + ".volume." + volume;
  }

  /** The pod whose group, disk or endpoint has that identity; empty when it is none of ours. */
  public static Optional<String> podUid(String id) {
    Matcher matcher = OURS.matcher(id);
    return matcher.matches() ? Optional.of(matcher.group(1)) : Optional.empty();
  }
}
