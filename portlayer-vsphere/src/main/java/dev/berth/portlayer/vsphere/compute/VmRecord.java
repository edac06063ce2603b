package dev.berth.portlayer.vsphere.compute;

import dev.berth.portlayer.compute.ContainerVmSpec;
import dev.berth.portlayer.compute.GroupSpec;
import dev.berth.portlayer.compute.Placement;
import dev.berth.portlayer.vsphere.vim.VmSpecs.OptionValue;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The state of record of one containerVM, which is with the VM in extraConfig, where its guest
 * cannot see it.
 *
 * @param controlMac of its interface that is the control plane's, when it was made with one
 */
record VmRecord(GroupRecord group, ContainerVmSpec vm, Optional<String> controlMac) {
  private static final String GROUP = "berth.group";
  private static final String VM = "berth.vm";
  private static final String CONTROL_MAC = "berth.controlMac";
  private static final JsonMapper JSON = JsonMapper.shared();

  /**
   * The group that a VM belongs to, the same in each.
   *
   * @param members their ids, in order: a group of which some are missing does not exist
   */
  record GroupRecord(
      String vch,
      String id,
      String name,
      Placement placement,
      List<String> members,
      Map<String, String> labels,
      Instant createdAt) {
    static GroupRecord of(String vch, GroupSpec spec, Instant createdAt) {
      return new GroupRecord(
          vch,
          spec.id(),
          spec.name(),
          spec.placement(),
          spec.members().stream().map(ContainerVmSpec::id).toList(),
          spec.labels(),
          createdAt);
    }
  }

  List<OptionValue> extraConfig() {
    List<OptionValue> options = new ArrayList<>();
    options.add(new OptionValue(GROUP, JSON.writeValueAsString(group)));
    options.add(new OptionValue(VM, JSON.writeValueAsString(vm)));
    controlMac.ifPresent(mac -> options.add(new OptionValue(CONTROL_MAC, mac)));
    return options;
  }

  /** What a VM's extraConfig holds; empty when it is no containerVM of the VCH. */
  static Optional<VmRecord> parse(String vch, List<OptionValue> extraConfig) {
    Optional<String> group = value(extraConfig, GROUP);
    Optional<String> vm = value(extraConfig, VM);
    if (group.isEmpty() || vm.isEmpty()) {
      return Optional.empty();
    }
    try {
      VmRecord record =
          new VmRecord(
              JSON.readValue(group.get(), GroupRecord.class),
              JSON.readValue(vm.get(), ContainerVmSpec.class),
              value(extraConfig, CONTROL_MAC));
      return Optional.of(record).filter(found -> found.group().vch().equals(vch));
    } catch (JacksonException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  static Optional<String> value(List<OptionValue> extraConfig, String key) {
    return extraConfig.stream()
        .filter(option -> option.key().equals(key))
        .map(OptionValue::value)
        .filter(java.util.Objects::nonNull)
        .map(value -> value.as(String.class))
        .findFirst();
  }
}
