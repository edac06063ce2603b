package dev.berth.cli.quickstart;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code berth quickstart}: what the script of the same name runs when everything is built. */
@Command(
    name = "quickstart",
    description =
        "Starts a Kubernetes control plane, a registry and a Virtual Container Host on this machine, in a network namespace of their own.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class QuickstartCommand implements Callable<Integer> {
  /** A network device of that name is made, and the kernel allows 15 characters. */
  private static final int LONGEST_NAME = 15;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--checkout",
      paramLabel = "DIR",
      required = true,
      description = "The source tree whose .berth folder holds what the quickstart script built.")
  private @Nullable Path checkout;

  @Option(
      names = "--directory",
      paramLabel = "DIR",
      description =
          "Where the installation keeps its state and logs (default: .berth in the checkout).")
  private @Nullable Path directory;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      defaultValue = "berth",
      description =
          "Name of the node, the network namespace and the host's link to it (default: ${DEFAULT-VALUE}).")
  private String name = "berth";

  @Option(
      names = "--boot",
      paramLabel = "DIR",
      description = "What containerVMs boot (default: .berth/boot in the checkout).")
  private @Nullable Path boot;

  @Option(
      names = "--backend",
      paramLabel = "NAME",
      defaultValue = "local",
      description =
          "What runs the containerVMs: local, QEMU on this machine, or vsphere, a vCenter lab with hosts that are QEMU on this machine (default: ${DEFAULT-VALUE}).")
  private String backend = "local";

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description =
          "Join the current cluster of this file, such as k3s or kind, instead of starting a control plane.")
  private @Nullable Path kubeconfig;

  @Option(
      names = "--kubelet-option",
      paramLabel = "OPTION",
      description =
          "One more argument for berth kubelet, such as --kubelet-option=--pod-limit=20; repeatable.")
  private List<String> kubeletOptions = List.of();

  @Option(names = "--stop", description = "End everything of the installation; its files stay.")
  private boolean stop;

  @Override
  public Integer call() {
    CommandSpec known = java.util.Objects.requireNonNull(spec);
    if (!name.matches("[a-z][a-z0-9-]*") || name.length() > LONGEST_NAME) {
      throw new ParameterException(
          known.commandLine(),
          "--name \"%s\": must be at most %d lower-case letters, digits and dashes, and begin with a letter"
              .formatted(name, LONGEST_NAME));
    }
    Path root = java.util.Objects.requireNonNull(checkout);
    Site site =
        Site.of(
            name,
            root,
            directory == null ? root.resolve(".berth") : directory,
            boot == null ? root.resolve(".berth/boot") : boot,
            known.commandLine().getOut());
    Quickstart quickstart = new Quickstart(site, backend(known, site));
    try {
      if (stop) {
        quickstart.stop();
      } else if (kubeconfig != null) {
        quickstart.join(kubeconfig, kubeletOptions);
      } else {
        quickstart.start(kubeletOptions);
      }
      return 0;
    } catch (QuickstartException e) {
      known.commandLine().getErr().println("berth: " + e.getMessage());
      return 1;
    }
  }

  private Backend backend(CommandSpec known, Site site) {
    return switch (backend) {
      case "local" -> new LocalBackend(site);
      case "vsphere" -> new VsphereBackend(site);
      default ->
          throw new ParameterException(
              known.commandLine(), "--backend \"%s\": use local or vsphere".formatted(backend));
    };
  }
}
