package dev.berth.cli.vch;

import dev.berth.cli.settings.Problems;
import dev.berth.cli.settings.Settings;
import dev.berth.cli.settings.VcenterSettings;
import dev.berth.cli.settings.VchSettings;
import dev.berth.portlayer.vsphere.client.VimSettings;
import dev.berth.portlayer.vsphere.vch.BootstrapIso;
import dev.berth.portlayer.vsphere.vch.VchAdministration.Outcome;
import dev.berth.portlayer.vsphere.vch.VchAdministration.Result;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth vch create}. */
@Command(
    name = "create",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    description = {
      "Makes a VCH: its resource pool, its folder of VMs, and its files on a datastore.",
      "Looks at everything first and tells all problems at once; makes all or nothing.",
      "Run again, it changes the VCH where its containerVMs do not mind."
    },
    footer = {
      "",
      "Memory is written as in Kubernetes: 64Gi.",
      "With --config, a YAML or JSON file gives the same settings by the flags' names,",
      "and the VCH's as 'name'; a flag wins over the file."
    })
@SuppressWarnings("UnusedVariable") // the options are read by name, through the command's model
final class VchCreateCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "NAME", arity = "0..1", description = "What the VCH is called.")
  private Optional<String> name = Optional.empty();

  @Mixin private VchOptions options = new VchOptions();

  @Option(names = "--datacenter", paramLabel = "NAME", description = "The datacenter. Required.")
  private List<String> datacenter = List.of();

  @Option(
      names = "--compute",
      paramLabel = "NAME",
      description = "The cluster, or the host in none, by name or inventory path. Required.")
  private List<String> compute = List.of();

  @Option(
      names = "--pool",
      paramLabel = "PATH",
      description = "The resource pool to make the VCH's in; the root by default.")
  private List<String> pool = List.of();

  @Option(
      names = "--datastore",
      paramLabel = "NAME",
      description = "Where disks and logs are kept; on every host. Required.")
  private List<String> datastore = List.of();

  @Option(
      names = "--network",
      paramLabel = "NAME=PORTGROUP,subnet=SUBNET[,...]",
      description =
          "A container network; repeatable, the first is the default. Also: gateway=IP, range=FIRST-LAST, dns=IP"
              + " (repeatable), mtu=BYTES. Required.")
  private List<String> network = List.of();

  @Option(
      names = "--control",
      paramLabel = "URI",
      description =
          "Where hypervisors reach 'berth kubelet --control-address': tcp://IP:PORT. Required.")
  private List<String> control = List.of();

  @Option(
      names = "--control-network",
      paramLabel = "PORTGROUP",
      description =
          "A distributed port group that is for the control plane alone, where 'berth kubelet --control-interface'"
              + " reaches containerVMs fast; none by default.")
  private List<String> controlNetwork = List.of();

  @Option(
      names = "--cpu-limit",
      paramLabel = "MHZ",
      description = "The most that all containerVMs may use; no limit by default.")
  private List<String> cpuLimit = List.of();

  @Option(
      names = "--memory-limit",
      paramLabel = "BYTES",
      description = "The most that all containerVMs may use; no limit by default.")
  private List<String> memoryLimit = List.of();

  @Option(
      names = "--boot",
      paramLabel = "DIRECTORY",
      description = "The bootstrap image, as iso-builder made it. Required.")
  private List<String> boot = List.of();

  @Override
  public void run() {
    Problems problems = new Problems();
    Settings settings = options.settings(spec, name, problems);
    Optional<VchSettings> wanted = VchSettings.of(settings, problems);
    Optional<VimSettings> vcenter = VcenterSettings.of(settings, problems);
    problems.raise();
    BootstrapIso iso = BootstrapIso.open(wanted.orElseThrow().boot());
    tell(
        Session.with(
            vcenter.orElseThrow(),
            vches -> vches.create(wanted.orElseThrow().specification(), iso, (sent, total) -> {})));
  }

  private void tell(Result result) {
    PrintWriter output = spec.commandLine().getOut();
    String vch = result.record().name();
    output.println("%s %s".formatted(vch, result.outcome().name().toLowerCase(Locale.ROOT)));
    result.changes().forEach(change -> output.println("  " + change));
    if (result.outcome() == Outcome.CHANGED) {
      output.println("  'berth kubelet' has to be started again to work with this");
    }
    result
        .notes()
        .forEach(
            note ->
                spec.commandLine()
                    .getErr()
                    .println("%s: note: %s".formatted(spec.qualifiedName(), note)));
  }
}
