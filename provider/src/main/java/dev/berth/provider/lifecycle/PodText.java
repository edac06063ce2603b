package dev.berth.provider.lifecycle;

import io.fabric8.kubernetes.api.model.Pod;

/** Pods in messages. */
public final class PodText {
  private PodText() {}

  /** {@code name_namespace(uid)}, as the kubelet's messages name a pod. */
  public static String name(Pod pod) {
    return "%s_%s(%s)"
        .formatted(
            pod.getMetadata().getName(),
            pod.getMetadata().getNamespace(),
            pod.getMetadata().getUid());
  }
}
