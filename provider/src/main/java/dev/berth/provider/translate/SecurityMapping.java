package dev.berth.provider.translate;

import dev.berth.portlayer.compute.ProcessSpec.Security;
import dev.berth.provider.lifecycle.PodText;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.SeccompProfile;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.Sysctl;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Security contexts of pod and container merged, as the kubelet and containerd do. */
final class SecurityMapping {
  /** What containerd hides from a container that is not privileged. */
  static final List<String> MASKED_PATHS =
      List.of(
          "/proc/acpi",
          "/proc/asound",
          "/proc/interrupts",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/sched_debug",
          "/proc/scsi",
          "/proc/timer_list",
          "/proc/timer_stats",
          "/sys/devices/virtual/powercap",
          "/sys/firmware");

  static final List<String> READ_ONLY_PATHS =
      List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

  private final Pod pod;
  private final Container container;
  private final PodSecurityContext ofPod;
  private final SecurityContext ofContainer;

  private SecurityMapping(Pod pod, Container container) {
    this.pod = pod;
    this.container = container;
    this.ofPod =
        Optional.ofNullable(pod.getSpec().getSecurityContext()).orElseGet(PodSecurityContext::new);
    this.ofContainer =
        Optional.ofNullable(container.getSecurityContext()).orElseGet(SecurityContext::new);
  }

  /**
   * @param imageUser the image's {@code USER}
   * @param seccompDefault whether RuntimeDefault applies where no profile is given
   * @throws ConfigurationException when runAsNonRoot is not satisfied
   */
  static Security of(Pod pod, Container container, String imageUser, boolean seccompDefault) {
    return new SecurityMapping(pod, container).build(imageUser, seccompDefault);
  }

  /** The numeric user all of whose files a volume's token shall be; empty when none is given. */
  static OptionalInt runAsUser(Pod pod, Container container) {
    return new SecurityMapping(pod, container)
        .merged(SecurityContext::getRunAsUser, PodSecurityContext::getRunAsUser)
        .map(user -> OptionalInt.of(Math.toIntExact(user)))
        .orElse(OptionalInt.empty());
  }

  static OptionalInt filesystemGroup(Pod pod) {
    return Optional.ofNullable(pod.getSpec().getSecurityContext())
        .map(PodSecurityContext::getFsGroup)
        .map(group -> OptionalInt.of(Math.toIntExact(group)))
        .orElse(OptionalInt.empty());
  }

  private Security build(String imageUser, boolean seccompDefault) {
    checkNonRoot(imageUser);
    boolean privileged = set(ofContainer.getPrivileged());
    boolean exposed = privileged || "Unmasked".equals(ofContainer.getProcMount());
    return new Security(
        user(imageUser),
        ofPod.getSupplementalGroups().stream().map(Math::toIntExact).toList(),
        filesystemGroup(pod),
        privileged ? Capabilities.ALL : capabilities(),
        Boolean.FALSE.equals(ofContainer.getAllowPrivilegeEscalation()),
        !privileged && seccomp(seccompDefault),
        privileged,
        set(ofContainer.getReadOnlyRootFilesystem()),
        exposed ? List.of() : MASKED_PATHS,
        exposed ? List.of() : READ_ONLY_PATHS,
        sysctls());
  }

  private <T> Optional<T> merged(
      Function<SecurityContext, @Nullable T> fromContainer,
      Function<PodSecurityContext, @Nullable T> fromPod) {
    return Optional.ofNullable(fromContainer.apply(ofContainer))
        .or(() -> Optional.ofNullable(fromPod.apply(ofPod)));
  }

  /** {@code uid}, {@code uid:gid}, or the image's own with the group replaced. */
  private String user(String imageUser) {
    Optional<Long> user = merged(SecurityContext::getRunAsUser, PodSecurityContext::getRunAsUser);
    Optional<Long> group =
        merged(SecurityContext::getRunAsGroup, PodSecurityContext::getRunAsGroup);
    if (user.isEmpty() && group.isEmpty()) {
      return imageUser;
    }
    String name = user.map(String::valueOf).orElseGet(() -> name(imageUser));
    return group.map(number -> name + ":" + number).orElse(name);
  }

  private static String name(String imageUser) {
    String name = imageUser.split(":", 2)[0];
    return name.isEmpty() ? "0" : name;
  }

  private void checkNonRoot(String imageUser) {
    boolean nonRoot =
        set(
            merged(SecurityContext::getRunAsNonRoot, PodSecurityContext::getRunAsNonRoot)
                .orElse(false));
    if (!nonRoot) {
      return;
    }
    String where =
        " (pod: \"%s\", container: %s)".formatted(PodText.name(pod), container.getName());
    Optional<Long> user = merged(SecurityContext::getRunAsUser, PodSecurityContext::getRunAsUser);
    if (user.isPresent()) {
      if (user.get() == 0) {
        throw new ConfigurationException("container's runAsUser breaks non-root policy" + where);
      }
      return;
    }
    String name = name(imageUser);
    if (!name.matches("[0-9]{1,18}")) {
      throw new ConfigurationException(
          "container has runAsNonRoot and image has non-numeric user (%s), cannot verify user is non-root"
                  .formatted(name)
              + where);
    }
    if (Long.parseLong(name) == 0) {
      throw new ConfigurationException(
          "container has runAsNonRoot and image will run as root" + where);
    }
  }

  private List<String> capabilities() {
    io.fabric8.kubernetes.api.model.Capabilities asked = ofContainer.getCapabilities();
    return asked == null ? Capabilities.DEFAULT : Capabilities.of(asked.getAdd(), asked.getDrop());
  }

  private boolean seccomp(boolean seccompDefault) {
    return merged(SecurityContext::getSeccompProfile, PodSecurityContext::getSeccompProfile)
        .map(SeccompProfile::getType)
        .map("RuntimeDefault"::equals)
        .orElse(seccompDefault);
  }

  /**
   * All of them are allowed, also those that the kubelet calls unsafe: they reach the container's
   * own kernel only.
   */
  private Map<String, String> sysctls() {
    return ofPod.getSysctls().stream()
        .collect(Collectors.toMap(Sysctl::getName, Sysctl::getValue, (_, later) -> later));
  }

  private static boolean set(Boolean flag) {
    return flag != null && flag;
  }
}
