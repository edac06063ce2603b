package dev.berth.cli.vch;

import dev.berth.portlayer.vsphere.vch.Privileges;
import dev.berth.portlayer.vsphere.vch.Privileges.Privilege;
import dev.berth.portlayer.vsphere.vch.Privileges.User;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code berth vch privileges}. */
@Command(
    name = "privileges",
    mixinStandardHelpOptions = true,
    description = {
      "Lists the privileges that users need at vCenter: the administrator who runs",
      "'berth vch', and the operations user of 'berth kubelet'. Asks no vCenter."
    })
final class VchPrivilegesCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private OutputOption format = new OutputOption();

  @Override
  public void run() {
    PrintWriter output = spec.commandLine().getOut();
    List<Privilege> all =
        Stream.of(User.values()).flatMap(user -> Privileges.of(user).stream()).toList();
    if (format.json()) {
      OutputOption.json(output, all);
      return;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("USER", "ON", "PRIVILEGE", "WHY"));
    for (Privilege privilege : all) {
      rows.add(
          List.of(
              privilege.user().name().toLowerCase(Locale.ROOT),
              privilege.place().description(),
              privilege.id(),
              privilege.purpose()));
    }
    OutputOption.table(output, rows);
  }
}
