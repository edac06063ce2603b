package dev.berth.cli.vch;

import dev.berth.cli.settings.Problems;
import dev.berth.portlayer.vsphere.client.VimSettings;
import dev.berth.portlayer.vsphere.vch.VchAdministration;
import dev.berth.portlayer.vsphere.vch.VchAdministration.Listed;
import dev.berth.portlayer.vsphere.vch.VchSpecification;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code berth vch ls}. */
@Command(
    name = "ls",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    description = "Lists the VCHs of a vCenter whose datastores the user may look at.")
final class VchListCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private VchOptions options = new VchOptions();

  @Mixin private OutputOption format = new OutputOption();

  @Override
  public void run() {
    Problems problems = new Problems();
    VimSettings vcenter =
        VchOptions.vcenter(options.settings(spec, Optional.empty(), problems), problems);
    List<Listed> all = Session.with(vcenter, VchAdministration::list);
    PrintWriter output = spec.commandLine().getOut();
    if (format.json()) {
      OutputOption.json(output, all);
    } else {
      OutputOption.table(output, rows(all));
    }
  }

  private static List<List<String>> rows(List<Listed> all) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("NAME", "STATE", "DATACENTER", "COMPUTE", "DATASTORE", "CONTROL", "CREATED"));
    for (Listed listed : all) {
      VchSpecification vch = listed.record().specification();
      rows.add(
          List.of(
              vch.name(),
              listed.finished() ? "ready" : "unfinished",
              vch.datacenter(),
              vch.compute().substring(vch.compute().lastIndexOf('/') + 1),
              vch.datastore(),
              vch.control().toString(),
              listed.record().createdAt().toString()));
    }
    return rows;
  }
}
