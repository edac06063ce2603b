package dev.berth.provider.translate;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Service;
import java.util.List;
import java.util.Optional;

/** What a pod's specification refers to in the cluster. */
public interface ClusterObjects {
  /**
   * One of the pod's namespace, empty when there is none of that name. An immutable one that the
   * pod has been given before is not read again.
   */
  Optional<ConfigMap> configMap(Pod pod, String name);

  /** The same for a Secret. */
  Optional<Secret> secret(Pod pod, String name);

  /**
   * A token of the pod's service account, bound to the pod; the same one until 80% of its life or a
   * day is over, and longer while the API server gives no other and it is still good.
   *
   * @param audience empty is the API server's
   */
  String token(Pod pod, String audience, long expirationSeconds);

  /** The services of a namespace that have a cluster address. */
  List<Service> services(String namespace);
}
