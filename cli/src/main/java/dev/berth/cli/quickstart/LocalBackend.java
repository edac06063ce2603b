package dev.berth.cli.quickstart;

import dev.berth.portlayer.local.LocalPortLayer;
import dev.berth.portlayer.local.network.HostPort;
import java.util.ArrayList;
import java.util.List;

/** QEMU on this host. */
record LocalBackend(Site site) implements Backend {
  @Override
  public String name() {
    return "local";
  }

  @Override
  public List<HostPort> ports(Addresses addresses) {
    return List.of();
  }

  @Override
  public List<String> up(Surroundings surroundings) {
    List<String> options =
        new ArrayList<>(
            List.of(
                "--directory",
                site.directory().resolve("vch").toString(),
                "--boot",
                site.boot().toString(),
                "--network",
                "pods=" + surroundings.addresses().pods()));
    surroundings
        .kubernetes()
        .ifPresent(
            service ->
                options.addAll(
                    List.of(
                        "--kubernetes-service",
                        "%s:%d=%s:%d"
                            .formatted(
                                service.address(),
                                service.port(),
                                service.target().address(),
                                service.target().port()))));
    if (!surroundings.inside()) {
      options.addAll(List.of("--network-namespace", site.name()));
    }
    return options;
  }

  @Override
  public String hint() {
    return "";
  }

  /** Whatever is there of them. */
  static void endContainerVms(Site site) {
    LocalPortLayer.endContainerVms(
        site.name(), site.directory().resolve("vch"), HostFiles.RUN.resolve(site.name()));
  }
}
