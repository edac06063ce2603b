package dev.berth.provider.node;

import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.NodeConditionBuilder;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The node's conditions in the kubelet's words. A transition's time changes with its status. */
final class NodeConditions {
  private final Map<String, NodeCondition> last = new HashMap<>();

  /** Takes over what the node object shows, so that a restart is no transition. */
  void remember(List<NodeCondition> shown) {
    shown.forEach(condition -> last.put(condition.getType(), condition));
  }

  /**
   * @param trouble why the port layer cannot be asked; empty when it can
   */
  List<NodeCondition> at(
      Instant now, Optional<String> trouble, boolean diskLow, boolean addressesGone) {
    return List.of(
        condition(
            now,
            "MemoryPressure",
            false,
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available"),
        diskLow
            ? condition(
                now, "DiskPressure", true, "KubeletHasDiskPressure", "kubelet has disk pressure")
            : condition(
                now,
                "DiskPressure",
                false,
                "KubeletHasNoDiskPressure",
                "kubelet has no disk pressure"),
        condition(
            now,
            "PIDPressure",
            false,
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available"),
        condition(
            now,
            "NetworkUnavailable",
            false,
            "BerthNetworkReady",
            addressesGone
                ? "container networks are up; every address is taken"
                : "container networks are up"),
        trouble.isEmpty()
            ? condition(now, "Ready", true, "KubeletReady", "kubelet is posting ready status")
            : condition(
                now,
                "Ready",
                false,
                "KubeletNotReady",
                "the port layer is unreachable: " + trouble.get()));
  }

  private NodeCondition condition(
      Instant now, String type, boolean holds, String reason, String message) {
    String status = holds ? "True" : "False";
    String time = now.truncatedTo(ChronoUnit.SECONDS).toString();
    NodeCondition before = last.get(type);
    String since =
        before != null && status.equals(before.getStatus()) ? before.getLastTransitionTime() : time;
    NodeCondition condition =
        new NodeConditionBuilder()
            .withType(type)
            .withStatus(status)
            .withReason(reason)
            .withMessage(message)
            .withLastHeartbeatTime(time)
            .withLastTransitionTime(since)
            .build();
    last.put(type, condition);
    return condition;
  }
}
