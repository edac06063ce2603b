package dev.berth.provider.translate;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.util.List;
import java.util.Map;

/** Pods out of YAML, for tests of what becomes of one part of them. */
final class Pods {
  static final KubernetesSerialization SERIALIZATION = new KubernetesSerialization();

  private Pods() {}

  /** A pod {@code ns/web-0} with one container {@code main}; both get more fields in YAML. */
  static Pod pod(String container, String spec) {
    return SERIALIZATION.unmarshal(
        """
        apiVersion: v1
        kind: Pod
        metadata:
          name: web-0
          namespace: ns
          uid: uid-1
          labels: {tier: "back\\"end", app: web}
          annotations: {note: "two\\nlines \\u00a0\\u200b\\x7f\\u0007 ü"}
        spec:
          nodeName: node-1
          serviceAccountName: robot
        %s
          containers:
          - name: main
            image: i
        %s
        """
            .formatted(spec.indent(2).stripTrailing(), container.indent(4).stripTrailing()),
        Pod.class);
  }

  static Container container(Pod pod) {
    return pod.getSpec().getContainers().getFirst();
  }

  static DownwardValues downward(Pod pod) {
    return new DownwardValues(
        pod,
        List.of("192.0.2.1", "2001:db8::1"),
        List.of("10.0.0.7", "fd00::7"),
        Map.of(
            "cpu", new Quantity("3500m"),
            "memory", new Quantity("8Gi"),
            "ephemeral-storage", new Quantity("20Gi")));
  }
}
