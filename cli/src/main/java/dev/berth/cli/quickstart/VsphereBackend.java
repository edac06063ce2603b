package dev.berth.cli.quickstart;

import dev.berth.cli.settings.KubeletSettings;
import dev.berth.cli.settings.NameServers;
import dev.berth.portlayer.local.network.HostPort;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A VCH on the vCenter lab, whose hosts boot VMs in QEMU on this machine. */
record VsphereBackend(Site site) implements Backend {
  /** Where the lab's hosts dial to with the VMs' serial ports. */
  private static final int CONTROL_PORT = 10_251;

  /** The lab copies what was uploaded: of the default size, 161 MiB for each container. */
  private static final String SCRATCH_SIZE = "256Mi";

  @Override
  public String name() {
    return "vsphere";
  }

  @Override
  public List<HostPort> ports(Addresses addresses) {
    return List.of(new HostPort(addresses.host(), CONTROL_PORT));
  }

  @Override
  public List<String> up(Surroundings surroundings) {
    Addresses addresses = surroundings.addresses();
    new Router(surroundings.network(), addresses, surroundings.kubernetes()).up();
    VcenterLab lab = new VcenterLab(site, surroundings.network(), addresses, lab());
    lab.up(this::forget);
    String control =
        "%s:%d"
            .formatted(surroundings.inside() ? addresses.inside() : addresses.host(), CONTROL_PORT);
    createVch(lab, control);
    grant(lab);
    List<String> options = new ArrayList<>(lab.operations());
    options.addAll(List.of("--vch", site.name(), "--control-address", control));
    if (surroundings.inside()) {
      options.addAll(List.of("--control-interface", VcenterLab.CONTROL_INTERFACE));
    }
    options.addAll(List.of("--scratch-size", SCRATCH_SIZE));
    options.addAll(
        List.of("--parallel-starts", Integer.toString(KubeletSettings.startsOnThisMachine())));
    options.addAll(List.of("--directory", directory().resolve("vch").toString()));
    return options;
  }

  private Path directory() {
    return site.directory().resolve("vsphere");
  }

  private Path lab() {
    return directory().resolve("lab");
  }

  private void forget() {
    site.process("kubelet").stop();
    if (Files.exists(directory())) {
      site.say("the VCH is made anew: an earlier vCenter lab's VMs and disks went with it");
      HostFiles.delete(directory());
    }
  }

  private void createVch(VcenterLab lab, String control) {
    Addresses addresses = lab.addresses();
    String dns =
        NameServers.ofMachine().stream().map(",dns="::concat).collect(Collectors.joining());
    List<String> command =
        new ArrayList<>(List.of(site.program("berth"), "vch", "create", site.name()));
    command.addAll(lab.administrator());
    command.addAll(lab.places());
    command.addAll(
        List.of(
            "--network",
            "pods=%s,subnet=%s,gateway=%s%s"
                .formatted(VcenterLab.PORT_GROUP, addresses.pods(), addresses.gateway(), dns),
            "--control",
            "tcp://" + control,
            "--control-network",
            VcenterLab.CONTROL_PORT_GROUP,
            "--boot",
            site.boot().toString()));
    lab.network().run(command, "");
  }

  private void grant(VcenterLab lab) {
    lab.addOperationsUser();
    List<String> command =
        new ArrayList<>(List.of(site.program("berth"), "vch", "grant", site.name()));
    command.addAll(lab.administrator());
    command.addAll(List.of("--operations-user", VcenterLab.OPERATIONS));
    lab.network().run(command, "");
  }

  @Override
  public String hint() {
    return """

        The vCenter lab, as its administrator sees it:

          export GOVC_URL=$(jq -r .url %1$s/lab.json)/sdk GOVC_TLS_CA_CERTS=%1$s/trust/ca.crt
          export GOVC_USERNAME=%2$s GOVC_PASSWORD=$(cat %1$s/password)
          govc vm.info '*'
        """
        .formatted(lab(), VcenterLab.USER);
  }
}
