package dev.berth.provider.api;

import dev.berth.provider.api.stream.StreamProtocols;
import java.util.List;
import java.util.Optional;

/** Agrees with a client on a protocol over SPDY, before the upgrade. */
final class SpdyNegotiation {
  private SpdyNegotiation() {}

  /**
   * @return empty for a client of old that offers none
   * @throws ApiException 400 when the client does not ask for SPDY, 403 when no protocol is common
   */
  static Optional<String> choose(Exchange exchange, List<String> known) {
    ApiRequest request = exchange.request();
    if (!request.asksUpgradeTo("SPDY/3.1")) {
      throw new ApiException(
          400,
          "unable to upgrade: the request must have Connection: Upgrade and Upgrade: SPDY/3.1");
    }
    List<String> offered = request.headerList(StreamProtocols.HEADER);
    if (offered.isEmpty()) {
      return Optional.empty();
    }
    Optional<String> chosen = StreamProtocols.choose(offered, known);
    if (chosen.isEmpty()) {
      throw new ApiException(
          403,
          "unable to upgrade: unable to negotiate protocol: client supports %s, server accepts %s"
              .formatted(offered, known));
    }
    return chosen;
  }
}
