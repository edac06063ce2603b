package dev.berth.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.berth.cli.settings.KubeletSettings;
import dev.berth.cli.settings.Problems;
import dev.berth.cli.settings.Settings;
import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.network.ContainerNetwork;
import dev.berth.portlayer.vsphere.lab.LabVch;
import dev.berth.portlayer.vsphere.lab.TestLab;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterGroupSpec;
import dev.berth.portlayer.vsphere.vim.Clusters.ClusterHostGroup;
import dev.berth.provider.ProviderConfiguration;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("A node on vSphere")
@ExtendWith(TestLab.Resolver.class)
@Timeout(120)
class VsphereNodeTest {
  @TempDir private Path directory = Path.of("");

  @Test
  @DisplayName("opens the VCH that its settings name")
  void opensItsVch(TestLab lab) throws IOException {
    try (LabVch vch = new LabVch(lab);
        PortLayer portLayer =
            new NodeConfiguration(settings(lab, vch, List.of())).openPortLayer()) {
      assertEquals(
          List.of("pods"),
          portLayer.network().networks().stream().map(ContainerNetwork::name).toList());
      assertEquals(List.of(), portLayer.compute().list());
    }
  }

  @Test
  @DisplayName("boots more VMs at a time than this machine could")
  void parallelStarts(TestLab lab) throws IOException {
    try (LabVch vch = new LabVch(lab)) {
      assertEquals(
          32,
          new NodeConfiguration(settings(lab, vch, List.of()))
              .provider()
              .containers()
              .parallelStarts());
    }
  }

  @Test
  @DisplayName("is refused a group of hosts that is not in the cluster, before anything starts")
  void groupsOfHostsThatAreNotThere(TestLab lab) throws IOException {
    try (LabVch vch = new LabVch(lab)) {
      NodeConfiguration node =
          new NodeConfiguration(settings(lab, vch, List.of("team-a=hosts-a", "*=rest")));
      CommandFailure failure = assertThrows(CommandFailure.class, node::openPortLayer);
      assertEquals(
          "host-group: the cluster has no group of hosts called hosts-a, rest; there are none:"
              + " make it in the vSphere client (Cluster > Configure > VM/Host Groups),"
              + " or name one that is there",
          failure.getMessage());

      vch.changeHostGroup(ClusterGroupSpec.add(new ClusterHostGroup("hosts-a", List.of())));
      vch.changeHostGroup(ClusterGroupSpec.add(new ClusterHostGroup("rest", List.of())));
      try {
        node.openPortLayer().close();
      } finally {
        vch.changeHostGroup(ClusterGroupSpec.remove("hosts-a"));
        vch.changeHostGroup(ClusterGroupSpec.remove("rest"));
      }
      ProviderConfiguration.HostGroups groups = node.provider().hostGroups();
      assertEquals(Optional.of("hosts-a"), groups.of("team-a"));
      assertEquals(Optional.of("rest"), groups.of("default"));
    }
  }

  private KubeletSettings settings(TestLab lab, LabVch vch, List<String> hostGroups)
      throws IOException {
    String file = Files.writeString(directory.resolve("file.pem"), "").toString();
    Map<String, List<String>> given = new LinkedHashMap<>();
    given.put("node-name", List.of("vch"));
    given.put("kubeconfig", List.of(file));
    given.put("directory", List.of(directory.resolve("state").toString()));
    given.put("tls-certificate", List.of(file));
    given.put("tls-key", List.of(file));
    given.put("backend", List.of("vsphere"));
    given.put("vcenter", List.of(lab.url().toString()));
    given.put("vcenter-thumbprint", List.of(lab.thumbprint().sha256()));
    given.put("vcenter-user", List.of(lab.administrator().user()));
    given.put("vcenter-password-file", List.of(lab.administrator().file().toString()));
    given.put("vch", List.of(vch.settings().name()));
    given.put("host-group", hostGroups);
    given.put("control-address", List.of("127.0.0.1:" + freePort()));
    Problems problems = new Problems();
    KubeletSettings settings =
        KubeletSettings.of(
            new Settings(new ArrayList<>(given.keySet()), given, Optional.empty(), problems),
            problems);
    problems.raise();
    return settings;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
