package dev.berth.provider.kube.http;

import java.io.InputStream;

/**
 * An answer that is read while it comes. An interrupt of the virtual thread that reads ends it.
 *
 * @param head with the whole body when it is no success
 * @param body of a success; fails when the connection ends before it does
 * @param end closes the connection
 */
public record Subscription(Response head, InputStream body, Runnable end) implements AutoCloseable {
  /** Also ends a read under way. Idempotent. */
  @Override
  public void close() {
    end.run();
  }
}
