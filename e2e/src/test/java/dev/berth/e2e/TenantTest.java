package dev.berth.e2e;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@Tag("e2e")
@ExtendWith({Installation.Resolver.class, LeavesNothing.class})
@Only(on = Backend.VSPHERE, because = "one machine has no groups of hosts")
@DisplayName("A tenant with a group of hosts")
class TenantTest {
  private static final String GROUP = "hosts-of-tenant";
  private static final String NAMESPACE = "tenant";
  private static final List<String> PODS = List.of("bound-0", "bound-1", "bound-2");

  private final Installation berth;

  TenantTest(Installation berth) {
    this.berth = berth;
  }

  @AfterEach
  void clean() {
    berth.delete("free");
    berth
        .kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")
        .deadline(Duration.ofMinutes(3))
        .run()
        .expect(0);
    berth.start();
    berth.lab().govc("cluster.group.remove", "-cluster", VcenterLab.CLUSTER, "-name", GROUP);
  }

  @Test
  @DisplayName("has its pods on these hosts alone, and others' pods run where they fit best")
  void onItsHostsAlone() {
    VcenterLab lab = berth.lab();
    List<String> hosts =
        lab.find("h").stream().map(path -> path.replaceFirst(".*/", "")).sorted().toList();
    String host = hosts.getLast();
    lab.govc("cluster.group.create", "-cluster", VcenterLab.CLUSTER, "-name", GROUP, "-host", host);
    berth.start("--host-group=" + NAMESPACE + "=" + GROUP);
    berth.kubectl("create", "namespace", NAMESPACE).run().expect(0);
    for (String pod : PODS) {
      berth
          .kubectl("apply", "-n", NAMESPACE, "-f", "-")
          .input(Installation.script(pod, "sleep 100000"))
          .run()
          .expect(0);
    }
    for (String pod : PODS) {
      await()
          .alias(pod + " runs")
          .atMost(Duration.ofMinutes(2))
          .pollInterval(Duration.ofSeconds(1))
          .until(() -> phase(pod), "Running"::equals);
    }
    assertEquals(
        Set.of(host), PODS.stream().map(pod -> lab.host(lab.vm(pod))).collect(Collectors.toSet()));

    berth.apply(Installation.script("free", "sleep 100000"));
    berth.awaitPhase("free", "Running");
    assertNotEquals(host, lab.host(lab.vm("free")), "the fullest host is no other tenant's choice");
  }

  private String phase(String pod) {
    return berth
        .kubectl("get", "pod", "-n", NAMESPACE, pod, "-o", "jsonpath={.status.phase}")
        .run()
        .output();
  }
}
