package dev.berth.provider.kube;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.HostIP;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodIP;
import io.fabric8.kubernetes.api.model.PodStatus;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Writes what a kubelet may write of a pod: its status, and its removal. */
public final class PodWriter {
  private final RawApi api;

  public PodWriter(RawApi api) {
    this.api = api;
  }

  /**
   * Replaces the kubelet's part of the status, if this is still the same pod.
   *
   * @return the pod's resource version afterwards
   * @throws ApiException absent when the pod is gone or another
   */
  public long patchStatus(Pod pod, PodStatus status) {
    Map<String, Object> patch = new LinkedHashMap<>();
    patch.put("metadata", Map.of("uid", pod.getMetadata().getUid()));
    patch.put("status", body(status));
    return api.send("PATCH", path(pod) + "/status", RawApi.STRATEGIC_MERGE, patch)
        .resourceVersion();
  }

  /**
   * Removes the pod object at once, if this is still the same pod. Idempotent.
   *
   * @throws ApiException when the API server cannot be asked
   */
  public void delete(Pod pod) {
    try {
      api.send(
          "DELETE",
          path(pod),
          "application/json",
          Map.of(
              "apiVersion",
              "v1",
              "kind",
              "DeleteOptions",
              "gracePeriodSeconds",
              0,
              "preconditions",
              Map.of("uid", pod.getMetadata().getUid())));
    } catch (ApiException refused) {
      if (!refused.absent()) {
        throw refused;
      }
    }
  }

  /** Whether the status at the API server shows what is wanted. */
  public static boolean shows(PodStatus present, PodStatus wanted) {
    return Objects.equals(present.getPhase(), wanted.getPhase())
        && Objects.equals(present.getReason(), wanted.getReason())
        && Objects.equals(present.getMessage(), wanted.getMessage())
        && Objects.equals(present.getStartTime(), wanted.getStartTime())
        && Objects.equals(present.getPodIP(), wanted.getPodIP())
        && Objects.equals(present.getHostIP(), wanted.getHostIP())
        && Objects.equals(present.getObservedGeneration(), wanted.getObservedGeneration())
        && sameContainers(present.getContainerStatuses(), wanted.getContainerStatuses())
        && wanted.getConditions().stream().allMatch(condition -> shows(present, condition));
  }

  private static boolean sameContainers(
      List<ContainerStatus> present, List<ContainerStatus> wanted) {
    return present.equals(wanted);
  }

  private static boolean shows(PodStatus present, PodCondition wanted) {
    return present.getConditions().stream()
        .anyMatch(
            condition ->
                Objects.equals(condition.getType(), wanted.getType())
                    && Objects.equals(condition.getStatus(), wanted.getStatus())
                    && Objects.equals(condition.getReason(), wanted.getReason())
                    && Objects.equals(condition.getMessage(), wanted.getMessage()));
  }

  private static String path(Pod pod) {
    return "/api/v1/namespaces/%s/pods/%s"
        .formatted(pod.getMetadata().getNamespace(), pod.getMetadata().getName());
  }

  private static Map<String, Object> body(PodStatus status) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("phase", status.getPhase());
    body.put("reason", status.getReason());
    body.put("message", status.getMessage());
    body.put("startTime", status.getStartTime());
    body.put("observedGeneration", status.getObservedGeneration());
    body.put("conditions", status.getConditions().stream().map(PodWriter::condition).toList());
    if (status.getHostIP() != null) {
      body.put("hostIP", status.getHostIP());
      body.put("hostIPs", replacing(status.getHostIPs().stream().map(HostIP::getIp).toList()));
    }
    if (status.getPodIP() != null) {
      body.put("podIP", status.getPodIP());
      body.put("podIPs", replacing(status.getPodIPs().stream().map(PodIP::getIp).toList()));
    }
    if (!status.getContainerStatuses().isEmpty()) {
      body.put("containerStatuses", status.getContainerStatuses());
    }
    return body;
  }

  /** With its empty fields, because a merge keeps what is not named. */
  private static Map<String, Object> condition(PodCondition condition) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("type", condition.getType());
    fields.put("status", condition.getStatus());
    fields.put("reason", condition.getReason());
    fields.put("message", condition.getMessage());
    fields.put("lastTransitionTime", condition.getLastTransitionTime());
    if (condition.getObservedGeneration() != null) {
      fields.put("observedGeneration", condition.getObservedGeneration());
    }
    return fields;
  }

  /** A list that takes the place of the old one instead of being merged into it. */
  private static List<Map<String, String>> replacing(List<String> addresses) {
    List<Map<String, String>> list = new ArrayList<>();
    list.add(Map.of("$patch", "replace"));
    addresses.forEach(address -> list.add(Map.of("ip", address)));
    return list;
  }
}
