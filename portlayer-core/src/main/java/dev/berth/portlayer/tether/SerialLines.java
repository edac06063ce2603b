package dev.berth.portlayer.tether;

import io.netty.channel.Channel;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which connections belong to which containerVM, and which of them carries its session. A line is
 * kept while it has a connection or a session. Safe for use by many threads.
 */
final class SerialLines {
  private final Map<LinkFrame.Nonce, Line> lines = new HashMap<>();

  private static final class Line {
    /** The next to use first. */
    private final Deque<Channel> ports = new ArrayDeque<>();

    private @Nullable Channel session;
    private @Nullable Channel carrier;
  }

  /** A connection has told whose it is. A session over an older one ends: its guest is here now. */
  synchronized void addPort(LinkFrame.Nonce name, Channel port) {
    Line line = lines.computeIfAbsent(name, ignored -> new Line());
    line.ports.addFirst(port);
    if (line.carrier != null) {
      endSession(line);
    } else {
      splice(line);
    }
  }

  /** A connection has ended, and a session over it ends. */
  synchronized void removePort(LinkFrame.Nonce name, Channel port) {
    Line line = lines.get(name);
    if (line != null) {
      line.ports.remove(port);
      if (port.equals(line.carrier)) {
        endSession(line);
      }
      forgetIfUnused(name, line);
    }
  }

  /** A session begins; it waits for a connection if there is none. One before it ends. */
  synchronized void addSession(LinkFrame.Nonce name, Channel session) {
    Line line = lines.computeIfAbsent(name, ignored -> new Line());
    endSession(line);
    line.session = session;
    splice(line);
  }

  /** A session has ended. The next one tries another connection if there is one. */
  synchronized void removeSession(LinkFrame.Nonce name, Channel session) {
    Line line = lines.get(name);
    if (line != null && session.equals(line.session)) {
      endSession(line);
      if (line.ports.size() > 1) {
        line.ports.addLast(line.ports.removeFirst());
      }
      forgetIfUnused(name, line);
    }
  }

  private void forgetIfUnused(LinkFrame.Nonce name, Line line) {
    if (line.ports.isEmpty() && line.session == null) {
      lines.remove(name);
    }
  }

  private static void splice(Line line) {
    Channel port = line.ports.peekFirst();
    if (line.session != null && port != null) {
      line.carrier = port;
      SerialRelay.join(line.session, port);
    }
  }

  private static void endSession(Line line) {
    if (line.carrier != null) {
      SerialRelay.part(line.carrier);
    }
    if (line.session != null) {
      // What it still sends must not reach the session after it.
      SerialRelay.part(line.session);
      var _ = line.session.close();
    }
    line.session = null;
    line.carrier = null;
  }
}
