package dev.berth.provider.translate;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ObjectFieldSelector;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceFieldSelector;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a pod can learn about itself.
 *
 * @param podAddresses empty before the pod has one
 * @param allocatable the node's resources, which stand in for a limit that is not set or zero
 */
public record DownwardValues(
    Pod pod,
    List<String> hostAddresses,
    List<String> podAddresses,
    Map<String, Quantity> allocatable) {
  private static final Pattern SUBSCRIPT =
      Pattern.compile("metadata\\.(labels|annotations)\\['(.*)'\\]");
  private static final Quantity ONE = new Quantity("1");

  /**
   * @throws ConfigurationException for a path that names nothing
   */
  String field(ObjectFieldSelector selector) {
    String path = selector.getFieldPath();
    return switch (path) {
      case "metadata.name" -> pod.getMetadata().getName();
      case "metadata.namespace" -> pod.getMetadata().getNamespace();
      case "metadata.uid" -> pod.getMetadata().getUid();
      case "metadata.labels" -> lines(pod.getMetadata().getLabels());
      case "metadata.annotations" -> lines(pod.getMetadata().getAnnotations());
      case "spec.nodeName", "spec.host" -> pod.getSpec().getNodeName();
      case "spec.serviceAccountName" -> pod.getSpec().getServiceAccountName();
      case "status.hostIP" -> hostAddresses.getFirst();
      case "status.hostIPs" -> String.join(",", hostAddresses);
      case "status.podIP" -> podAddresses.isEmpty() ? "" : podAddresses.getFirst();
      case "status.podIPs" -> String.join(",", podAddresses);
      default -> subscript(path);
    };
  }

  private String subscript(String path) {
    Matcher matcher = SUBSCRIPT.matcher(path);
    if (!matcher.matches()) {
      throw new ConfigurationException("unsupported fieldPath: " + path);
    }
    Map<String, String> values =
        matcher.group(1).equals("labels")
            ? pod.getMetadata().getLabels()
            : pod.getMetadata().getAnnotations();
    return values == null ? "" : values.getOrDefault(matcher.group(2), "");
  }

  /**
   * One {@code key="value"} a line, sorted, without a newline at the end, as the kubelet writes.
   */
  private static String lines(Map<String, String> values) {
    return values == null
        ? ""
        : new TreeMap<>(values)
            .entrySet().stream()
                .map(entry -> entry.getKey() + "=" + GoQuote.quote(entry.getValue()))
                .collect(Collectors.joining("\n"));
  }

  /**
   * @throws ConfigurationException for a resource or container that does not exist
   */
  String resource(ResourceFieldSelector selector, Container own) {
    Container container = container(selector.getContainerName(), own);
    String[] parts = selector.getResource().split("\\.", 2);
    if (parts.length != 2) {
      throw new ConfigurationException("unsupported container resource: " + selector.getResource());
    }
    Quantity quantity =
        (parts[0].equals("limits")
                ? Quantities.limit(container, parts[1])
                    .filter(limit -> limit.getNumericalAmount().signum() != 0)
                    .or(() -> Optional.ofNullable(allocatable.get(parts[1])))
                : Quantities.request(container, parts[1]))
            .orElse(new Quantity("0"));
    Quantity divisor = selector.getDivisor();
    boolean whole = divisor == null || divisor.getNumericalAmount().signum() == 0;
    return Quantities.divided(quantity, whole ? ONE : divisor).toPlainString();
  }

  private Container container(String name, Container own) {
    if (name == null || name.isEmpty()) {
      return own;
    }
    return pod.getSpec().getContainers().stream()
        .filter(container -> container.getName().equals(name))
        .findFirst()
        .orElseThrow(() -> new ConfigurationException("container " + name + " not found"));
  }
}
