package dev.berth.provider.translate;

import dev.berth.provider.ProviderConfiguration.HostAndPort;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The variables by which a container finds services without DNS. */
final class ServiceEnvironment {
  private ServiceEnvironment() {}

  /**
   * @param links the pod's enableServiceLinks
   * @param override what the {@code kubernetes} service's variables say instead
   */
  static Map<String, String> of(
      ClusterObjects cluster, String namespace, boolean links, Optional<HostAndPort> override) {
    Map<String, Service> chosen = new LinkedHashMap<>();
    if (links) {
      usable(cluster.services(namespace)).forEach(each -> chosen.put(name(each), each));
    }
    usable(cluster.services("default")).stream()
        .filter(service -> name(service).equals("kubernetes"))
        .forEach(service -> chosen.putIfAbsent("kubernetes", service));
    Map<String, String> variables = new LinkedHashMap<>();
    chosen.values().forEach(service -> add(service, variables));
    override.ifPresent(
        address -> {
          variables.put("KUBERNETES_SERVICE_HOST", address.host());
          variables.put("KUBERNETES_SERVICE_PORT", Integer.toString(address.port()));
          variables.put("KUBERNETES_SERVICE_PORT_HTTPS", Integer.toString(address.port()));
        });
    return variables;
  }

  private static List<Service> usable(List<Service> services) {
    return services.stream()
        .filter(
            service -> {
              String address = service.getSpec().getClusterIP();
              return address != null && !address.isEmpty() && !address.equals("None");
            })
        .filter(service -> !service.getSpec().getPorts().isEmpty())
        .toList();
  }

  private static String name(Service service) {
    return service.getMetadata().getName();
  }

  private static String variable(String text) {
    return text.toUpperCase(Locale.ROOT).replace('-', '_');
  }

  private static void add(Service service, Map<String, String> variables) {
    String prefix = variable(name(service));
    String host = service.getSpec().getClusterIP();
    List<ServicePort> ports = service.getSpec().getPorts();
    variables.put(prefix + "_SERVICE_HOST", host);
    variables.put(prefix + "_SERVICE_PORT", ports.getFirst().getPort().toString());
    for (ServicePort port : ports) {
      if (port.getName() != null && !port.getName().isEmpty()) {
        variables.put(
            prefix + "_SERVICE_PORT_" + variable(port.getName()), port.getPort().toString());
      }
    }
    for (int index = 0; index < ports.size(); index++) {
      links(prefix, host, ports.get(index), index == 0, variables);
    }
  }

  /** The variables of Docker's links, which Kubernetes keeps. */
  private static void links(
      String prefix, String host, ServicePort port, boolean first, Map<String, String> variables) {
    String protocol = port.getProtocol() == null ? "TCP" : port.getProtocol();
    String address = host.contains(":") ? "[" + host + "]" : host;
    String url = "%s://%s:%d".formatted(protocol.toLowerCase(Locale.ROOT), address, port.getPort());
    if (first) {
      variables.put(prefix + "_PORT", url);
    }
    String link = "%s_PORT_%d_%s".formatted(prefix, port.getPort(), protocol);
    variables.put(link, url);
    variables.put(link + "_PROTO", protocol.toLowerCase(Locale.ROOT));
    variables.put(link + "_PORT", port.getPort().toString());
    variables.put(link + "_ADDR", host);
  }
}
