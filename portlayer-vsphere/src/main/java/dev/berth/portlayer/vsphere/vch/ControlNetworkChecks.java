package dev.berth.portlayer.vsphere.vch;

import dev.berth.portlayer.vsphere.client.ManagedObject;
import dev.berth.portlayer.vsphere.client.VimClient;
import dev.berth.portlayer.vsphere.vim.GenericObject;
import dev.berth.portlayer.vsphere.vim.VirtualDevices.DVPortgroupConfigInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/**
 * Whether a port group keeps VMs from passing for each other, for guests do not. What it is set to
 * now counts: nobody keeps an administrator from changing it.
 */
final class ControlNetworkChecks {
  private static final String OPTION = "control-network";
  private static final String PRIVATE_VLAN = "VmwareDistributedVirtualSwitchPvlanSpec";

  /** What must be rejected, as the API and as the vSphere client call it. */
  private static final Map<String, String> POLICIES =
      Map.of(
          "allowPromiscuous", "promiscuous mode",
          "macChanges", "MAC address changes",
          "forgedTransmits", "forged transmits");

  private final VimClient client;
  private final Findings findings;

  ControlNetworkChecks(VimClient client, Findings findings) {
    this.client = client;
    this.findings = findings;
  }

  void check(VchPlan plan, ManagedObject portGroup) {
    String name = InventoryTree.name(portGroup);
    if (plan.networks().stream()
        .anyMatch(network -> network.reference().equals(portGroup.reference()))) {
      findings.problem(
          OPTION,
          "containers are on %s: name a port group that is for nothing else".formatted(name));
    }
    if (!portGroup.reference().type().equals("DistributedVirtualPortgroup")) {
      findings.problem(
          OPTION,
          "%s is on a standard switch, which has no private VLAN: name a distributed port group"
              .formatted(name));
      return;
    }
    JsonNode ports =
        client
            .property(portGroup.reference(), "config", DVPortgroupConfigInfo.class)
            .map(DVPortgroupConfigInfo::defaultPortConfig)
            .filter(Objects::nonNull)
            .<JsonNode>map(GenericObject::json)
            .orElse(MissingNode.getInstance());
    checkPolicies(name, ports);
    if (!ports.path("vlan").path("_typeName").asString("").equals(PRIVATE_VLAN)) {
      findings.note(
          OPTION,
          "%s is in no private VLAN, so its VMs reach each other's tethers, whose TLS refuses them: put it in an isolated one"
              .formatted(name));
    }
  }

  private void checkPolicies(String name, JsonNode ports) {
    List<String> accepted = new ArrayList<>();
    boolean told = true;
    for (Map.Entry<String, String> policy : POLICIES.entrySet()) {
      JsonNode value = value(ports, policy.getKey());
      told &= value.isBoolean();
      if (value.asBoolean(false)) {
        accepted.add(policy.getValue());
      }
    }
    if (!accepted.isEmpty()) {
      findings.problem(
          OPTION,
          "%s accepts %s: set its security policy to reject them"
              .formatted(name, String.join(", ", accepted.stream().sorted().toList())));
    } else if (!told) {
      findings.note(
          OPTION,
          "vCenter does not tell the whole security policy of %s: promiscuous mode, MAC address changes and forged transmits must be rejected"
              .formatted(name));
    }
  }

  /** The newer setting, which counts where it is there, or the older. */
  private static JsonNode value(JsonNode ports, String policy) {
    JsonNode newer = ports.path("macManagementPolicy").path(policy);
    return newer.isBoolean() ? newer : ports.path("securityPolicy").path(policy).path("value");
  }
}
