package dev.berth.provider.translate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.berth.portlayer.compute.ProcessSpec.HostAlias;
import dev.berth.portlayer.compute.ProcessSpec.Identity;
import dev.berth.provider.ProviderConfiguration.Cluster;
import dev.berth.provider.lifecycle.PodEvent;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("Names are what the kubelet would give")
class NameResolutionTest {
  private static final List<String> OF_NETWORK = List.of("192.0.2.53");
  private static final List<String> SEARCHES =
      List.of("ns.svc.cluster.local", "svc.cluster.local", "cluster.local");

  private static Identity identity(String spec, String... clusterServers) {
    return NameResolution.of(
        Pods.pod("", spec),
        new Cluster(List.of(clusterServers), "cluster.local", Optional.empty()),
        OF_NETWORK);
  }

  /** {@code GeneratePodHostNameAndDomain} in pkg/kubelet/kubelet_pods.go. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "restartPolicy: Always                       | web-0                          | ''",
        "hostname: h                                 | h                              | ''",
        "{hostname: h, subdomain: s}                 | h                              | s.ns.svc.cluster.local",
        "{subdomain: s, setHostnameAsFQDN: true}     | web-0.s.ns.svc.cluster.local   | s.ns.svc.cluster.local",
        "{hostname: h, setHostnameAsFQDN: true}      | h                              | ''",
        "{hostnameOverride: a.b, subdomain: s}       | a.b                            | ''"
      })
  void hostnames(String spec, String hostname, String domain) {
    String fields = spec.replaceAll("[{}]", "").replace(", ", "\n");
    assertEquals(hostname, identity(fields).hostname());
    assertEquals(domain, identity(fields).domain());
  }

  /** {@code truncatePodHostnameIfNeeded}: 63 characters, and no dot or dash at the end. */
  @Test
  @DisplayName("a long name is cut to a label")
  void truncated() {
    assertEquals("a".repeat(63), identity("hostnameOverride: " + "a".repeat(63) + ".b").hostname());
    assertEquals(
        "a".repeat(61), identity("hostnameOverride: " + "a".repeat(61) + ".-b").hostname());
  }

  /** {@code GetNodenameForKernel} in pkg/kubelet/util. */
  @Test
  @DisplayName("a full name beyond 64 characters is refused")
  void fullNameTooLong() {
    String subdomain = "s".repeat(40);
    String message =
        assertThrows(
                ConfigurationException.class,
                () -> identity("subdomain: %s\nsetHostnameAsFQDN: true".formatted(subdomain)))
            .getMessage();
    assertTrue(
        String.valueOf(message)
            .endsWith("is too long (64 characters is the max, 67 characters requested)"),
        message);
  }

  /** {@code GetPodDNS} in pkg/kubelet/network/dns. */
  @Test
  @DisplayName("each policy has its servers, searches and options")
  void policies() {
    for (String policy : List.of("ClusterFirst", "ClusterFirstWithHostNet")) {
      Identity cluster = identity("dnsPolicy: " + policy, "10.96.0.10");
      assertEquals(List.of("10.96.0.10"), cluster.nameServers());
      assertEquals(SEARCHES, cluster.searches());
      assertEquals(List.of("ndots:5"), cluster.options());
    }
    for (Identity host :
        List.of(
            identity("dnsPolicy: Default", "10.96.0.10"), identity("dnsPolicy: ClusterFirst"))) {
      assertEquals(OF_NETWORK, host.nameServers());
      assertEquals(List.of(), host.searches());
      assertEquals(List.of(), host.options());
    }
    assertEquals(List.of(), identity("dnsPolicy: None", "10.96.0.10").nameServers());
  }

  /** {@code appendDNSConfig}. */
  @Test
  @DisplayName("dnsConfig adds servers and searches once each, and replaces options by name")
  void configuration() {
    Identity found =
        identity(
            """
            dnsConfig:
              nameservers: [10.96.0.10, 9.9.9.9]
              searches: [svc.cluster.local, example.com]
              options: [{name: ndots, value: "2"}, {name: edns0}]
            """,
            "10.96.0.10");
    assertEquals(List.of("10.96.0.10", "9.9.9.9"), found.nameServers());
    assertEquals(
        List.of("ns.svc.cluster.local", "svc.cluster.local", "cluster.local", "example.com"),
        found.searches());
    assertEquals(List.of("ndots:2", "edns0"), found.options());
  }

  /** {@code formDNSConfigFitsLimits}. */
  @Test
  @DisplayName("what a C library would not read, or abort at, is left out")
  void limits() {
    Identity many =
        identity(
            "dnsConfig: {nameservers: [192.0.2.2, 192.0.2.3, 192.0.2.4], searches: [%s]}"
                .formatted(numbered(32, "")),
            "10.96.0.10");
    assertEquals(List.of("10.96.0.10", "192.0.2.2", "192.0.2.3"), many.nameServers());
    assertEquals(32, many.searches().size());
    assertEquals("s28", many.searches().getLast());

    assertEquals(
        SEARCHES,
        identity("dnsConfig: {searches: [%s]}".formatted("a".repeat(254)), "::1").searches());

    // "s0" and 197 more characters and a blank: 200 a search; ten of them fill 1,999 characters.
    Identity wide =
        identity("dnsConfig: {searches: [%s]}".formatted(numbered(10, "x".repeat(197))));
    assertEquals(10, wide.searches().size());
    Identity wider =
        identity("dnsConfig: {searches: [%s]}".formatted(numbered(11, "x".repeat(197))));
    assertEquals(10, wider.searches().size());
  }

  private static List<String> warnings(String spec) {
    return NameResolution.warnings(
            Pods.pod("", spec),
            new Cluster(List.of("10.96.0.10"), "cluster.local", Optional.empty()),
            OF_NETWORK)
        .stream()
        .map(PodEvent::message)
        .toList();
  }

  /** {@code CheckLimitsForResolvConf} and {@code formDNSNameserversFitsLimits}. */
  @Test
  @DisplayName("what is left out is told")
  void warnings() {
    assertEquals(List.of(), warnings("dnsConfig: {nameservers: [192.0.2.2, 192.0.2.3]}"));
    assertEquals(
        List.of(
            "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 10.96.0.10 192.0.2.2 192.0.2.3"),
        warnings("dnsConfig: {nameservers: [192.0.2.2, 192.0.2.3, 192.0.2.4]}"));
    assertEquals(
        List.of(
            "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: "
                + String.join(" ", SEARCHES)),
        warnings("dnsConfig: {searches: [%s]}".formatted("a".repeat(254))));
  }

  private static String numbered(int count, String tail) {
    return IntStream.range(0, count)
        .mapToObj(i -> "s" + i + tail)
        .collect(Collectors.joining(", "));
  }

  @Test
  @DisplayName("host aliases are lines of /etc/hosts")
  void aliases() {
    assertEquals(
        List.of(new HostAlias("192.0.2.7", List.of("a", "b.c"))),
        identity("hostAliases: [{ip: 192.0.2.7, hostnames: [a, b.c]}]").hostAliases());
  }
}
