package dev.berth.portlayer.vsphere.client;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.vsphere.vim.VimJson;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** Which release of the API is spoken. */
final class Releases {
  /** What Berth knows, oldest first. */
  private static final List<String> KNOWN = List.of("8.0.1.0", "8.0.2.0", "8.0.3.0");

  /** What the question is put in. */
  record Hello(@com.fasterxml.jackson.annotation.JsonProperty("api_releases") List<String> offer) {}

  private Releases() {}

  /**
   * The newest release that both know. vCenter 8.0 U1 cannot be asked yet, and knows the first.
   *
   * @throws PortLayerException UNSUPPORTED when there is none
   */
  static String negotiate(Transport transport, Duration timeout) {
    HttpRequest request =
        transport
            .request("/api/vcenter/system?action=hello")
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(VimJson.write(new Hello(KNOWN))))
            .build();
    HttpResponse<byte[]> answer =
        transport.send(request, HttpResponse.BodyHandlers.ofByteArray(), true, timeout);
    if (answer.statusCode() == 404) {
      return KNOWN.getFirst();
    }
    String chosen =
        answer.statusCode() == 200
            ? VimJson.read(answer.body(), JsonNode.class).path("api_release").asString("")
            : "";
    if (!KNOWN.contains(chosen)) {
      throw new PortLayerException(
          Code.UNSUPPORTED,
          "vCenter at %s speaks none of the API releases %s (status %d)"
              .formatted(request.uri().getAuthority(), KNOWN, answer.statusCode()));
    }
    return chosen;
  }

  static boolean isOlder(String release, String than) {
    return KNOWN.indexOf(release) < KNOWN.indexOf(than);
  }
}
