package dev.berth.cli.vch;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code berth vch}. */
@Command(
    name = "vch",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    description = {
      "Makes and removes Virtual Container Hosts on vCenter.",
      "'berth kubelet --backend vsphere' runs pods in one."
    },
    subcommands = {
      VchCreateCommand.class,
      VchListCommand.class,
      VchInspectCommand.class,
      VchDeleteCommand.class,
      VchGrantCommand.class,
      VchPrivilegesCommand.class
    })
public final class VchCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(),
        "a command is missing: create, ls, inspect, delete, grant or privileges");
  }
}
