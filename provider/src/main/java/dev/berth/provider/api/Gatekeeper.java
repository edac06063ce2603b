package dev.berth.provider.api;

import dev.berth.provider.api.auth.Authenticator;
import dev.berth.provider.api.auth.Authorizer;
import dev.berth.provider.api.auth.Caller;
import io.netty.handler.ssl.SslHandler;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Lets nobody in whom the cluster does not know or does not allow; every path alike. */
final class Gatekeeper {
  private static final Logger log = LoggerFactory.getLogger(Gatekeeper.class);

  private final Authenticator authenticator;
  private final Authorizer authorizer;

  Gatekeeper(Authenticator authenticator, Authorizer authorizer) {
    this.authenticator = authenticator;
    this.authorizer = authorizer;
  }

  /**
   * @throws ApiException 401, 403, or 500 when the cluster cannot be asked
   */
  void admit(Exchange exchange) {
    ApiRequest request = exchange.request();
    Caller caller =
        authenticator
            .authenticate(certificates(exchange), bearerToken(request))
            .orElseThrow(() -> new ApiException(401, "Unauthorized"));
    String verb = verb(request.method());
    List<String> subresources = subresources(request.path());
    for (String subresource : subresources) {
      if (allows(caller, verb, subresource)) {
        return;
      }
    }
    throw new ApiException(
        403,
        "Forbidden (user=%s, verb=%s, resource=nodes, subresource(s)=[%s])%n"
            .formatted(caller.name(), verb, String.join(" ", subresources)));
  }

  private boolean allows(Caller caller, String verb, String subresource) {
    try {
      return authorizer.allows(caller, verb, subresource);
    } catch (RuntimeException e) {
      log.warn("Cannot ask whether {} may {} nodes/{}", caller.name(), verb, subresource, e);
      throw new ApiException(
          500,
          "Authorization error (user=%s, verb=%s, resource=nodes, subresource=%s)"
              .formatted(caller.name(), verb, subresource));
    }
  }

  private static List<X509Certificate> certificates(Exchange exchange) {
    SslHandler tls = exchange.channel().pipeline().get(SslHandler.class);
    try {
      Certificate[] chain = tls.engine().getSession().getPeerCertificates();
      return Arrays.stream(chain)
          .filter(X509Certificate.class::isInstance)
          .map(X509Certificate.class::cast)
          .toList();
    } catch (SSLPeerUnverifiedException e) {
      return List.of();
    }
  }

  private static Optional<String> bearerToken(ApiRequest request) {
    String header = request.headers().get("authorization");
    if (header == null) {
      return Optional.empty();
    }
    String[] parts = header.strip().split(" +", 2);
    return parts.length == 2 && parts[0].toLowerCase(Locale.ROOT).equals("bearer")
        ? Optional.of(parts[1])
        : Optional.empty();
  }

  private static String verb(String method) {
    return switch (method) {
      case "POST" -> "create";
      case "GET" -> "get";
      case "PUT" -> "update";
      case "PATCH" -> "patch";
      case "DELETE" -> "delete";
      default -> "";
    };
  }

  /**
   * Any one of these of the node is enough: the fine-grained one first, then what it was before.
   */
  static List<String> subresources(String path) {
    var result = new ArrayList<String>();
    if (isBelow("/pods", path) || isBelow("/runningpods", path)) {
      result.add("pods");
    } else if (isBelow("/healthz", path)) {
      result.add("healthz");
    } else if (isBelow("/configz", path)) {
      result.add("configz");
    }
    if (isBelow("/stats", path)) {
      result.add("stats");
    } else if (isBelow("/metrics", path)) {
      result.add("metrics");
    } else if (isBelow("/logs", path)) {
      result.add("log");
    } else if (isBelow("/checkpoint", path)) {
      result.add("checkpoint");
    } else if (isBelow("/statusz", path)) {
      result.add("statusz");
    } else if (isBelow("/flagz", path)) {
      result.add("configz");
    } else {
      result.add("proxy");
    }
    return result;
  }

  private static boolean isBelow(String root, String path) {
    return path.equals(root) || path.startsWith(root + "/");
  }
}
