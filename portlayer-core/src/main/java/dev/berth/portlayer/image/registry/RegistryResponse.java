package dev.berth.portlayer.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpHeaders;

/**
 * An answer whose body is still to be read.
 *
 * @param body fails when no byte arrives for the transport's stall time
 */
record RegistryResponse(int status, HttpHeaders headers, InputStream body)
    implements AutoCloseable {
  boolean successful() {
    return status >= 200 && status < 300;
  }

  String header(String name) {
    return headers.firstValue(name).orElse("");
  }

  @Override
  public void close() {
    try {
      body.close();
    } catch (IOException e) {
      // The answer was used or given up; the connection is the client's to clean.
    }
  }
}
