package dev.berth.cli.vch;

import dev.berth.cli.settings.Problems;
import dev.berth.cli.settings.Settings;
import dev.berth.portlayer.vsphere.client.VimSettings;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth vch delete}. */
@Command(
    name = "delete",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    description = {
      "Removes a VCH with its files, images and volumes among them.",
      "Stop its 'berth kubelet' first. Refuses while there are containerVMs."
    })
final class VchDeleteCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "NAME", arity = "0..1", description = "The VCH.")
  private Optional<String> name = Optional.empty();

  @Mixin private VchOptions options = new VchOptions();

  @Option(names = "--force", description = "End and remove its containerVMs too.")
  private boolean force;

  @Override
  public void run() {
    Problems problems = new Problems();
    Settings settings = options.settings(spec, name, problems);
    String vch = settings.required("name", "which VCH to delete");
    VimSettings vcenter = VchOptions.vcenter(settings, problems);
    boolean deleted = Session.with(vcenter, vches -> vches.delete(vch, force));
    spec.commandLine()
        .getOut()
        .println(vch + (deleted ? " deleted" : " is not there: nothing to delete"));
  }
}
