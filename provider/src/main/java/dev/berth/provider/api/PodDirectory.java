package dev.berth.provider.api;

import io.fabric8.kubernetes.api.model.Pod;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** What the kubelet's API needs to know about the node's pods. */
public interface PodDirectory {
  /** Every pod of this node with its present status. */
  List<Pod> pods();

  /** Why the node's pods are not looked after as they should be; empty when they are. */
  Optional<String> trouble();

  /**
   * Finds a container of a pod by name.
   *
   * @param uid when given, the pod must have it
   * @throws PodLookupException with status 404 or 400 and a message as the kubelet gives
   */
  ContainerTarget container(String namespace, String pod, Optional<String> uid, String container);

  /**
   * Where a container runs.
   *
   * @param terminal whether its first process has a terminal
   * @param stdin whether its first process has an input
   * @param currentAttempt the last attempt that was made; empty when none was
   * @param previousAttempt the one before, when its log is kept
   * @param ended whether its process does not run now
   */
  record ContainerTarget(
      String containerVmId,
      boolean terminal,
      boolean stdin,
      OptionalInt currentAttempt,
      OptionalInt previousAttempt,
      boolean ended) {}
}
