package dev.berth.provider.translate;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import java.util.List;
import java.util.Optional;

/** What a pod's specification refers to in the cluster. */
public interface ClusterObjects {
  /** Empty when there is none of that name. */
  Optional<ConfigMap> configMap(String namespace, String name);

  /** Empty when there is none of that name. */
  Optional<Secret> secret(String namespace, String name);

  /**
   * A token of the pod's service account, bound to the pod; the same one until 80% of its life is
   * over.
   *
   * @param audience empty is the API server's
   */
  String token(Pod pod, String audience, long expirationSeconds);

  /** The services of a namespace that have a cluster address. */
  List<Service> services(String namespace);
}
