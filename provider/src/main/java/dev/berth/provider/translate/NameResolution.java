package dev.berth.provider.translate;

import dev.berth.portlayer.compute.ProcessSpec.HostAlias;
import dev.berth.portlayer.compute.ProcessSpec.Identity;
import dev.berth.provider.ProviderConfiguration.Cluster;
import dev.berth.provider.lifecycle.PodEvent;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodDNSConfig;
import io.fabric8.kubernetes.api.model.PodDNSConfigOption;
import io.fabric8.kubernetes.api.model.PodSpec;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A pod's own name, and how it finds others by name. */
final class NameResolution {
  private static final String FORMING = "DNSConfigForming";
  private static final int HOSTNAME_LENGTH = 63;
  private static final int FULL_NAME_LENGTH = 64;

  /** The kubelet's limits, which are those of C libraries. */
  private static final int MOST_SERVERS = 3;

  private static final int MOST_SEARCHES = 32;
  private static final int LONGEST_SEARCH = 253;
  private static final int LONGEST_SEARCH_LINE = 2048;

  private final Set<String> servers = new LinkedHashSet<>();
  private final Set<String> searches = new LinkedHashSet<>();
  private final Map<String, String> options = new LinkedHashMap<>();

  private NameResolution() {}

  /** The pod's host name without its domain: a DNS label. */
  static String hostname(Pod pod) {
    String hostname =
        Optional.ofNullable(pod.getSpec().getHostname())
            .filter(name -> !name.isEmpty())
            .orElse(pod.getMetadata().getName());
    return truncated(hostname);
  }

  private static String truncated(String hostname) {
    if (hostname.length() <= HOSTNAME_LENGTH) {
      return hostname;
    }
    return hostname.substring(0, HOSTNAME_LENGTH).replaceAll("[.-]+$", "");
  }

  /**
   * @param networkServers the DNS servers of the container network
   * @throws ConfigurationException when the full name is too long to be a host name
   */
  static Identity of(Pod pod, Cluster cluster, List<String> networkServers) {
    PodSpec spec = pod.getSpec();
    NameResolution names = wanted(pod, cluster, networkServers);
    String domain = domain(pod, cluster);
    String hostname = hostname(pod);
    if (Boolean.TRUE.equals(spec.getSetHostnameAsFQDN()) && !domain.isEmpty()) {
      hostname = fullName(hostname + "." + domain);
    }
    if (spec.getHostnameOverride() != null && !spec.getHostnameOverride().isEmpty()) {
      hostname = truncated(spec.getHostnameOverride());
      domain = "";
    }
    return new Identity(
        hostname,
        domain,
        names.serverList(),
        names.searchList(),
        names.optionList(),
        spec.getHostAliases().stream()
            .map(alias -> new HostAlias(alias.getIp(), alias.getHostnames()))
            .toList());
  }

  private static NameResolution wanted(Pod pod, Cluster cluster, List<String> networkServers) {
    NameResolution names = new NameResolution();
    names.policy(pod, cluster, networkServers);
    names.more(pod.getSpec().getDnsConfig());
    return names;
  }

  /** The kubelet's events of what {@link #of} leaves out. */
  static List<PodEvent> warnings(Pod pod, Cluster cluster, List<String> networkServers) {
    NameResolution names = wanted(pod, cluster, networkServers);
    List<PodEvent> warnings = new ArrayList<>();
    List<String> servers = names.serverList();
    if (servers.size() < names.servers.size()) {
      warnings.add(
          PodEvent.warning(
              FORMING,
              "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: "
                  + String.join(" ", servers)));
    }
    List<String> searches = names.searchList();
    if (searches.size() < names.searches.size()) {
      warnings.add(
          PodEvent.warning(
              FORMING,
              "Search Line limits were exceeded, some search paths have been omitted, the applied search line is: "
                  + String.join(" ", searches)));
    }
    return warnings;
  }

  private static String fullName(String name) {
    if (name.length() > FULL_NAME_LENGTH) {
      throw new ConfigurationException(
          "failed to construct FQDN from pod hostname and cluster domain, FQDN %s is too long (%d characters is the max, %d characters requested)"
              .formatted(name, FULL_NAME_LENGTH, name.length()));
    }
    return name;
  }

  private static String domain(Pod pod, Cluster cluster) {
    String subdomain = pod.getSpec().getSubdomain();
    return subdomain == null || subdomain.isEmpty()
        ? ""
        : "%s.%s.svc.%s".formatted(subdomain, pod.getMetadata().getNamespace(), cluster.domain());
  }

  private void policy(Pod pod, Cluster cluster, List<String> networkServers) {
    String policy = Optional.ofNullable(pod.getSpec().getDnsPolicy()).orElse("ClusterFirst");
    boolean ofCluster = policy.startsWith("ClusterFirst") && !cluster.nameServers().isEmpty();
    if (ofCluster) {
      servers.addAll(cluster.nameServers());
      searches.add("%s.svc.%s".formatted(pod.getMetadata().getNamespace(), cluster.domain()));
      searches.add("svc." + cluster.domain());
      searches.add(cluster.domain());
      options.put("ndots", "5");
    } else if (!policy.equals("None")) {
      servers.addAll(networkServers);
    }
  }

  private void more(PodDNSConfig more) {
    if (more == null) {
      return;
    }
    servers.addAll(more.getNameservers());
    searches.addAll(more.getSearches());
    for (PodDNSConfigOption option : more.getOptions()) {
      options.put(option.getName(), Optional.ofNullable(option.getValue()).orElse(""));
    }
  }

  private List<String> serverList() {
    return servers.stream().limit(MOST_SERVERS).toList();
  }

  /** What is beyond the limits is left out, as the kubelet does. */
  private List<String> searchList() {
    List<String> list =
        searches.stream()
            .limit(MOST_SEARCHES)
            .filter(search -> search.length() <= LONGEST_SEARCH)
            .toList();
    while (String.join(" ", list).length() > LONGEST_SEARCH_LINE) {
      list = list.subList(0, list.size() - 1);
    }
    return list;
  }

  private List<String> optionList() {
    return options.entrySet().stream()
        .map(
            option ->
                option.getValue().isEmpty()
                    ? option.getKey()
                    : option.getKey() + ":" + option.getValue())
        .toList();
  }
}
