package dev.berth.portlayer.tether;

import io.netty.channel.EventLoop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Which connections belong to which containerVM, and which of them carries its session. A line is
 * kept while it has a connection or a session. All but {@link #execute} is for the thread of
 * sessions.
 */
final class SerialLines {
  private final EventLoop thread;
  private final Map<LinkFrame.Nonce, Line> lines = new HashMap<>();

  private static final class Line {
    /** The next to use first. */
    private final Deque<SerialPort> ports = new ArrayDeque<>();

    private @Nullable SerialSession session;
  }

  /**
   * @param thread the thread of sessions
   */
  SerialLines(EventLoop thread) {
    this.thread = thread;
  }

  /** Does something on the thread of sessions, in the order of the calls. */
  void execute(Runnable action) {
    try {
      thread.execute(action);
    } catch (RejectedExecutionException e) {
      // The endpoint is closed, and what the action would serve with it.
    }
  }

  Future<?> schedule(Runnable action, Duration delay) {
    return thread.schedule(action, delay.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** A connection has told whose it is: its guest is here now. */
  void addPort(LinkFrame.Nonce name, SerialPort port) {
    Line line = lines.computeIfAbsent(name, ignored -> new Line());
    line.ports.addFirst(port);
    if (line.session != null) {
      line.session.use(port);
    }
  }

  /** A connection has ended. */
  void removePort(LinkFrame.Nonce name, SerialPort port) {
    Line line = lines.get(name);
    if (line != null) {
      line.ports.remove(port);
      if (line.session != null && line.session.uses(port)) {
        line.session.use(line.ports.peekFirst());
      }
      forgetIfUnused(name, line);
    }
  }

  /** A session begins; it waits for a connection if there is none. One before it ends. */
  void addSession(LinkFrame.Nonce name, SerialSession session) {
    Line line = lines.computeIfAbsent(name, ignored -> new Line());
    SerialSession before = line.session;
    line.session = session;
    if (before != null) {
      before.end();
    }
    session.use(line.ports.peekFirst());
  }

  /** A session has ended. */
  void removeSession(LinkFrame.Nonce name, SerialSession session) {
    Line line = lines.get(name);
    if (line != null && session.equals(line.session)) {
      line.session = null;
      forgetIfUnused(name, line);
    }
  }

  /** A session over a connection has ended, maybe because it lied: the next tries another. */
  void rotate(LinkFrame.Nonce name, SerialPort port) {
    Line line = lines.get(name);
    if (line != null && line.ports.size() > 1 && port.equals(line.ports.peekFirst())) {
      line.ports.addLast(line.ports.removeFirst());
    }
  }

  private void forgetIfUnused(LinkFrame.Nonce name, Line line) {
    if (line.ports.isEmpty() && line.session == null) {
      lines.remove(name);
    }
  }
}
