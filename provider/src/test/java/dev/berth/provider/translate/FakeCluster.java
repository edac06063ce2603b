package dev.berth.provider.translate;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A cluster that holds what a test says, in YAML. */
final class FakeCluster implements ClusterObjects {
  private final List<HasMetadata> objects = new ArrayList<>();

  /** Each text is one object without {@code apiVersion}. */
  static FakeCluster of(String... yaml) {
    FakeCluster cluster = new FakeCluster();
    for (String each : yaml) {
      cluster.objects.add(Pods.SERIALIZATION.unmarshal("apiVersion: v1\n" + each));
    }
    return cluster;
  }

  @Override
  public Optional<ConfigMap> configMap(Pod pod, String name) {
    return find(ConfigMap.class, pod.getMetadata().getNamespace(), name);
  }

  @Override
  public Optional<Secret> secret(Pod pod, String name) {
    return find(Secret.class, pod.getMetadata().getNamespace(), name);
  }

  /** Tells what it was asked for. */
  @Override
  public String token(Pod pod, String audience, long expirationSeconds) {
    return "%s for %s, %d s"
        .formatted(pod.getSpec().getServiceAccountName(), audience, expirationSeconds);
  }

  @Override
  public List<Service> services(String namespace) {
    return objects.stream()
        .filter(Service.class::isInstance)
        .map(Service.class::cast)
        .filter(service -> service.getMetadata().getNamespace().equals(namespace))
        .toList();
  }

  private <T extends HasMetadata> Optional<T> find(Class<T> kind, String namespace, String name) {
    return objects.stream()
        .filter(kind::isInstance)
        .map(kind::cast)
        .filter(
            object ->
                object.getMetadata().getName().equals(name)
                    && object.getMetadata().getNamespace().equals(namespace))
        .findFirst();
  }
}
