package dev.berth.provider.api;

import dev.berth.provider.api.stream.StreamProtocols;
import java.util.List;

/** Looks at a client's WebSocket handshake before the upgrade. */
final class WebSocketNegotiation {
  private WebSocketNegotiation() {}

  /**
   * @throws ApiException 400 for a handshake that is none, 403 when no subprotocol is common
   */
  static void check(ApiRequest request, List<String> known) {
    boolean complete =
        request.method().equals("GET")
            && "13".equals(request.headers().get("sec-websocket-version"))
            && request.headers().contains("sec-websocket-key");
    if (!complete) {
      throw new ApiException(
          400, "a WebSocket needs GET, Sec-WebSocket-Version: 13 and a Sec-WebSocket-Key");
    }
    List<String> offered = request.headerList("sec-websocket-protocol");
    if (!offered.isEmpty() && StreamProtocols.choose(offered, known).isEmpty()) {
      throw new ApiException(
          403,
          "requested protocol(s) are not supported: %s; supports %s".formatted(offered, known));
    }
  }
}
