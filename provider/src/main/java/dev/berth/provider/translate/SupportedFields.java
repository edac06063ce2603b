package dev.berth.provider.translate;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Names what a pod asks for and cannot have yet. A field is either on the list of what Berth does
 * or it is refused, so that a field unknown to this version is refused too. Unset, false, zero and
 * empty values ask for nothing, but for a volume's source.
 */
public final class SupportedFields {
  /** What is done, by path; {@code **} is everything below. */
  private static final List<String> SUPPORTED =
      List.of(
          "activeDeadlineSeconds",
          "affinity.**",
          "automountServiceAccountToken",
          "dnsConfig.**",
          "dnsPolicy",
          "enableServiceLinks",
          "hostAliases.**",
          // A containerVM's root is root over its own kernel only: what hostUsers: false asks for
          // is had either way.
          "hostUsers",
          "hostname",
          "hostnameOverride",
          "imagePullSecrets.**",
          "nodeName",
          "nodeSelector.**",
          "os.name",
          "preemptionPolicy",
          "priority",
          "priorityClassName",
          "readinessGates.**",
          "restartPolicy",
          "schedulerName",
          "schedulingGroup.**",
          "serviceAccount",
          "serviceAccountName",
          "setHostnameAsFQDN",
          "subdomain",
          "terminationGracePeriodSeconds",
          "tolerations.**",
          "topologySpreadConstraints.**",
          "securityContext.appArmorProfile.type",
          "securityContext.fsGroup",
          // The kubelet, too, applies a policy to persistent volumes only.
          "securityContext.fsGroupChangePolicy",
          "securityContext.runAsGroup",
          "securityContext.runAsNonRoot",
          "securityContext.runAsUser",
          "securityContext.seccompProfile.type",
          "securityContext.supplementalGroups",
          "securityContext.supplementalGroupsPolicy",
          "securityContext.sysctls.**",
          "containers[].args",
          "containers[].command",
          "containers[].env[].name",
          "containers[].env[].value",
          "containers[].env[].valueFrom.configMapKeyRef.**",
          "containers[].env[].valueFrom.fieldRef.**",
          "containers[].env[].valueFrom.resourceFieldRef.**",
          "containers[].env[].valueFrom.secretKeyRef.**",
          "containers[].envFrom.**",
          "containers[].image",
          "containers[].imagePullPolicy",
          "containers[].name",
          "containers[].ports[].containerPort",
          "containers[].ports[].name",
          "containers[].ports[].protocol",
          "containers[].resizePolicy.**",
          "containers[].resources.limits.cpu.**",
          "containers[].resources.limits.ephemeral-storage.**",
          "containers[].resources.limits.memory.**",
          "containers[].resources.requests.cpu.**",
          "containers[].resources.requests.ephemeral-storage.**",
          "containers[].resources.requests.memory.**",
          "containers[].securityContext.allowPrivilegeEscalation",
          "containers[].securityContext.appArmorProfile.type",
          "containers[].securityContext.capabilities.**",
          "containers[].securityContext.privileged",
          "containers[].securityContext.procMount",
          "containers[].securityContext.readOnlyRootFilesystem",
          "containers[].securityContext.runAsGroup",
          "containers[].securityContext.runAsNonRoot",
          "containers[].securityContext.runAsUser",
          "containers[].securityContext.seccompProfile.type",
          "containers[].stdin",
          "containers[].stdinOnce",
          "containers[].terminationMessagePath",
          "containers[].terminationMessagePolicy",
          "containers[].tty",
          "containers[].volumeMounts[].mountPath",
          "containers[].volumeMounts[].mountPropagation",
          "containers[].volumeMounts[].name",
          "containers[].volumeMounts[].readOnly",
          "containers[].volumeMounts[].recursiveReadOnly",
          "containers[].volumeMounts[].subPath",
          "containers[].volumeMounts[].subPathExpr",
          "containers[].workingDir",
          "volumes[].name",
          "volumes[].configMap.defaultMode",
          "volumes[].configMap.items[].key",
          "volumes[].configMap.items[].mode",
          "volumes[].configMap.items[].path",
          "volumes[].configMap.name",
          "volumes[].configMap.optional",
          "volumes[].secret.defaultMode",
          "volumes[].secret.items[].key",
          "volumes[].secret.items[].mode",
          "volumes[].secret.items[].path",
          "volumes[].secret.optional",
          "volumes[].secret.secretName",
          "volumes[].downwardAPI.defaultMode",
          "volumes[].downwardAPI.items[].fieldRef.**",
          "volumes[].downwardAPI.items[].mode",
          "volumes[].downwardAPI.items[].path",
          "volumes[].downwardAPI.items[].resourceFieldRef.**",
          "volumes[].emptyDir.medium",
          "volumes[].emptyDir.sizeLimit.**",
          "volumes[].projected.defaultMode",
          "volumes[].projected.sources[].configMap.items[].key",
          "volumes[].projected.sources[].configMap.items[].mode",
          "volumes[].projected.sources[].configMap.items[].path",
          "volumes[].projected.sources[].configMap.name",
          "volumes[].projected.sources[].configMap.optional",
          "volumes[].projected.sources[].secret.items[].key",
          "volumes[].projected.sources[].secret.items[].mode",
          "volumes[].projected.sources[].secret.items[].path",
          "volumes[].projected.sources[].secret.name",
          "volumes[].projected.sources[].secret.optional",
          "volumes[].projected.sources[].downwardAPI.items[].fieldRef.**",
          "volumes[].projected.sources[].downwardAPI.items[].mode",
          "volumes[].projected.sources[].downwardAPI.items[].path",
          "volumes[].projected.sources[].downwardAPI.items[].resourceFieldRef.**",
          "volumes[].projected.sources[].serviceAccountToken.audience",
          "volumes[].projected.sources[].serviceAccountToken.expirationSeconds",
          "volumes[].projected.sources[].serviceAccountToken.path");

  /** Fields of which only some values are done. */
  private static final Map<String, Set<String>> VALUES =
      Map.ofEntries(
          Map.entry("os.name", Set.of("linux")),
          Map.entry("securityContext.appArmorProfile.type", Set.of("Unconfined")),
          Map.entry("securityContext.seccompProfile.type", Set.of("RuntimeDefault", "Unconfined")),
          Map.entry("securityContext.supplementalGroupsPolicy", Set.of("Merge")),
          Map.entry("containers[].securityContext.appArmorProfile.type", Set.of("Unconfined")),
          Map.entry("containers[].securityContext.procMount", Set.of("Default", "Unmasked")),
          Map.entry(
              "containers[].securityContext.seccompProfile.type",
              Set.of("RuntimeDefault", "Unconfined")),
          Map.entry("containers[].volumeMounts[].mountPropagation", Set.of("None")),
          Map.entry(
              "containers[].volumeMounts[].recursiveReadOnly", Set.of("Disabled", "IfPossible")),
          Map.entry("volumes[].emptyDir.medium", Set.of("Memory")));

  private static final Set<String> SOURCES = Set.of("volumes[]", "volumes[].projected.sources[]");

  private static final String APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";

  private final KubernetesSerialization serialization;
  private final Map<String, Node> tree = new HashMap<>();

  /** One step of the supported paths. */
  private record Node(Map<String, Node> children, boolean whole) {}

  public SupportedFields(KubernetesSerialization serialization) {
    this.serialization = serialization;
    for (String path : SUPPORTED) {
      Map<String, Node> level = tree;
      for (String step : path.split("\\.", -1)) {
        boolean whole = step.equals("**");
        level = level.computeIfAbsent(step, _ -> new Node(new HashMap<>(), whole)).children();
      }
    }
  }

  /**
   * The refused fields by path, such as {@code spec.containers[0].livenessProbe}; empty is good.
   */
  public List<String> refused(Pod pod) {
    List<String> refused = new ArrayList<>();
    Map<?, ?> spec = serialization.convertValue(pod.getSpec(), Map.class);
    walk(spec, tree, "spec", "", refused);
    int containers = pod.getSpec().getContainers().size();
    if (containers > 1) {
      refused.add("spec.containers (%d containers; one is supported)".formatted(containers));
    }
    appArmor(pod, refused);
    return refused.stream().sorted().collect(Collectors.toList());
  }

  private static void appArmor(Pod pod, List<String> refused) {
    Map<String, String> annotations = pod.getMetadata().getAnnotations();
    if (annotations != null) {
      annotations.forEach(
          (name, value) -> {
            if (name.startsWith(APP_ARMOR) && !value.equals("unconfined")) {
              refused.add("metadata.annotations[%s] (%s)".formatted(name, value));
            }
          });
    }
  }

  private static void walk(
      Map<?, ?> object, Map<String, Node> known, String at, String pattern, List<String> refused) {
    for (Map.Entry<?, ?> field : object.entrySet()) {
      String name = field.getKey().toString();
      Object value = field.getValue();
      if (asksForNothing(value, pattern) || known.containsKey("**")) {
        continue;
      }
      String path = at + "." + name;
      String here = pattern.isEmpty() ? name : pattern + "." + name;
      Node items = known.get(name + "[]");
      Node node = known.get(name);
      if (items != null && value instanceof List<?> list) {
        for (int index = 0; index < list.size(); index++) {
          descend(list.get(index), items, "%s[%d]".formatted(path, index), here + "[]", refused);
        }
      } else if (node != null) {
        descend(value, node, path, here, refused);
      } else {
        refused.add(path);
      }
    }
  }

  private static void descend(
      Object value, Node node, String path, String pattern, List<String> refused) {
    Set<String> allowed = VALUES.get(pattern);
    if (allowed != null && !allowed.contains(value.toString())) {
      refused.add("%s (%s)".formatted(path, value));
    } else if (value instanceof Map<?, ?> object && !node.children().isEmpty()) {
      walk(object, node.children(), path, pattern, refused);
    }
  }

  /** Of a volume each field is a source, which asks for a volume even if it says no more. */
  private static boolean asksForNothing(Object value, String pattern) {
    boolean source = value instanceof Map && SOURCES.contains(pattern);
    return !source && asksForNothing(value);
  }

  private static boolean asksForNothing(Object value) {
    return switch (value) {
      case null -> true;
      case Boolean set -> !set;
      case Number number -> number.longValue() == 0;
      case String text -> text.isEmpty();
      case Collection<?> items -> items.isEmpty();
      case Map<?, ?> fields -> fields.values().stream().allMatch(SupportedFields::asksForNothing);
      default -> false;
    };
  }
}
