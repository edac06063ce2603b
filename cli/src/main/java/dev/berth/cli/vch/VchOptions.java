package dev.berth.cli.vch;

import dev.berth.cli.VcenterOptions;
import dev.berth.cli.settings.Flags;
import dev.berth.cli.settings.Problems;
import dev.berth.cli.settings.Settings;
import dev.berth.cli.settings.VcenterSettings;
import dev.berth.portlayer.vsphere.client.VimSettings;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** What every command of {@code berth vch} takes. One file may serve all of them. */
@SuppressWarnings("UnusedVariable") // read by name, through the command's model
final class VchOptions {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "YAML or JSON file with these settings, and those of 'berth vch create'.")
  private Optional<Path> config = Optional.empty();

  @Mixin private VcenterOptions vcenter = new VcenterOptions();

  /**
   * The settings of a command, of its flags and of the file.
   *
   * @param name the VCH's, as the command line has it
   */
  Settings settings(CommandSpec spec, Optional<String> name, Problems problems) {
    CommandLine create =
        new CommandLine(new VchCreateCommand()); // A file that makes a VCH also deletes it.
    return Flags.settings(
        spec,
        config,
        Flags.names(create.getCommandSpec()),
        Map.of("name", name.map(List::of).orElse(List.of())),
        problems);
  }

  /** The vCenter, for a command that needs to know nothing but the VCH's name. */
  static VimSettings vcenter(Settings settings, Problems problems) {
    Optional<VimSettings> vcenter = VcenterSettings.of(settings, problems);
    problems.raise();
    return vcenter.orElseThrow();
  }
}
