package dev.berth.cli.settings;

import dev.berth.portlayer.vsphere.network.PortGroupNetwork;
import dev.berth.portlayer.vsphere.vch.VchSpecification;
import dev.berth.portlayer.vsphere.vch.VchSpecification.Limits;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Everything {@code berth vch create} is told, as far as it can be checked without the vCenter.
 *
 * @param boot the directory that the boot artifact is in
 */
public record VchSettings(VchSpecification specification, Path boot) {
  private static final int MOST_MEGAHERTZ = 1_000_000_000;

  /** Checks all settings; empty when there are problems. */
  public static Optional<VchSettings> of(Settings settings, Problems problems) {
    String name = settings.required("name", "what the VCH is called");
    String datacenter = settings.required("datacenter", "the datacenter that the VCH is in");
    String compute =
        settings.required(
            "compute", "the cluster, or the host in none, that its containerVMs run on");
    String datastore = settings.required("datastore", "where its disks and logs are kept");
    Optional<URI> control = control(settings, problems);
    Optional<Path> boot = BootSetting.of(settings, "bootstrap.iso", problems);
    List<PortGroupNetwork> networks = networks(settings, problems);
    Limits limits =
        new Limits(
            settings.integer("cpu-limit", 1, MOST_MEGAHERTZ).orElse(0),
            settings.bytes("memory-limit").orElse(0) >> 20);
    if (control.isEmpty() || boot.isEmpty() || networks.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new VchSettings(
            new VchSpecification(
                name,
                datacenter,
                compute,
                settings.text("pool").orElse(""),
                datastore,
                networks,
                control.get(),
                settings.text("control-network").orElse(""),
                limits),
            boot.get()));
  }

  private static Optional<URI> control(Settings settings, Problems problems) {
    String text =
        settings.required(
            "control", "where hypervisors reach the control plane, such as tcp://10.1.0.5:7001");
    try {
      return text.isEmpty() ? Optional.empty() : Optional.of(URI.create(text));
    } catch (IllegalArgumentException e) {
      problems.add("control", "\"%s\" must have the form tcp://10.1.0.5:7001".formatted(text));
      return Optional.empty();
    }
  }

  private static List<PortGroupNetwork> networks(Settings settings, Problems problems) {
    settings.required("network", "a container network: " + NetworkSetting.FORM);
    List<PortGroupNetwork> networks = new ArrayList<>();
    settings
        .pairs("network", NetworkSetting.FORM)
        .forEach(
            (name, text) -> NetworkSetting.parse(name, text, problems).ifPresent(networks::add));
    return networks;
  }
}
