package dev.berth.cli.vch;

import dev.berth.cli.settings.Problems;
import dev.berth.cli.settings.Settings;
import dev.berth.portlayer.vsphere.client.VimSettings;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth vch grant}. */
@Command(
    name = "grant",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    description = {
      "Gives the user of 'berth kubelet' what it needs at vCenter for a VCH, and no more:",
      "roles of the privileges that 'berth vch privileges' lists. Run again, it gives what is missing."
    })
final class VchGrantCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "NAME", arity = "0..1", description = "The VCH.")
  private Optional<String> name = Optional.empty();

  @Mixin private VchOptions options = new VchOptions();

  @Option(
      names = "--operations-user",
      paramLabel = "USER@DOMAIN",
      required = true,
      description = "A user that vCenter knows and that is for this alone. Required.")
  private String user = "";

  @Override
  public void run() {
    Problems problems = new Problems();
    Settings settings = options.settings(spec, name, problems);
    String vch = settings.required("name", "which VCH it is for");
    VimSettings vcenter = VchOptions.vcenter(settings, problems);
    List<String> changes = Session.with(vcenter, vches -> vches.grant(vch, user));
    PrintWriter output = spec.commandLine().getOut();
    output.println(
        "%s %s".formatted(user, changes.isEmpty() ? "has all of it already" : "now has"));
    changes.forEach(change -> output.println("  " + change));
  }
}
