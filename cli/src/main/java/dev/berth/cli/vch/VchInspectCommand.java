package dev.berth.cli.vch;

import dev.berth.cli.settings.Problems;
import dev.berth.cli.settings.Settings;
import dev.berth.portlayer.vsphere.client.VimSettings;
import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.vch.VchRecord;
import dev.berth.portlayer.vsphere.vch.VchSpecification;
import dev.berth.portlayer.vsphere.vch.VchState;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth vch inspect}. */
@Command(
    name = "inspect",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    description = "Shows a VCH: its settings, what it uses, and what of it is missing.")
final class VchInspectCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "NAME", arity = "0..1", description = "The VCH.")
  private Optional<String> name = Optional.empty();

  @Mixin private VchOptions options = new VchOptions();

  @Mixin private OutputOption format = new OutputOption();

  @Override
  public void run() {
    Problems problems = new Problems();
    Settings settings = options.settings(spec, name, problems);
    String vch = settings.required("name", "which VCH to show");
    VimSettings vcenter = VchOptions.vcenter(settings, problems);
    VchState state = Session.with(vcenter, vches -> vches.inspect(vch));
    PrintWriter output = spec.commandLine().getOut();
    if (format.json()) {
      OutputOption.json(output, state);
    } else {
      OutputOption.table(output, rows(state));
    }
  }

  private static List<List<String>> rows(VchState state) {
    VchRecord record = state.record();
    VchSpecification vch = record.specification();
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("name", vch.name()));
    rows.add(List.of("state", stateOf(state)));
    rows.add(List.of("datacenter", vch.datacenter()));
    rows.add(List.of("compute", vch.compute()));
    rows.add(List.of("pool", vch.pool().isEmpty() ? "in the root" : "in " + vch.pool()));
    rows.add(List.of("files", "%s, %d MiB free".formatted(state.root(), state.freeSpace() >> 20)));
    rows.add(List.of("control", vch.control().toString()));
    rows.add(
        List.of("control network", vch.controlNetwork().isEmpty() ? "none" : vch.controlNetwork()));
    vch.networks().forEach(network -> rows.add(List.of("network", describe(network))));
    rows.add(
        List.of("may use", "%d MHz, %d MiB".formatted(state.megahertz(), state.memory() >> 20)));
    rows.add(List.of("containerVMs", "%d, %d on".formatted(state.containerVms(), state.running())));
    rows.add(List.of("boots", "%s (kernel %s)".formatted(record.iso(), record.kernelVersion())));
    rows.add(List.of("created", "%s by %s".formatted(record.createdAt(), record.createdBy())));
    return rows;
  }

  private static String stateOf(VchState state) {
    if (!state.finished()) {
      return "unfinished: run 'berth vch create' again, or 'berth vch delete'";
    }
    return state.missing().isEmpty()
        ? "ready"
        : "%s missing: 'berth vch create' makes it anew"
            .formatted(String.join(", ", state.missing()));
  }

  private static String describe(PortGroupNetwork network) {
    return "%s on %s: %s, %s to %s, gateway %s, DNS %s, MTU %d"
        .formatted(
            network.name(),
            network.portGroup(),
            network.subnet(),
            network.first(),
            network.last(),
            network.gateway(),
            network.nameServers().isEmpty() ? "none" : String.join(" ", network.nameServers()),
            network.mtu());
  }
}
