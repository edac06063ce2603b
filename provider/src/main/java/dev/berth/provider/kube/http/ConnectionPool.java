package dev.berth.provider.kube.http;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Deque;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Sends requests over a few connections that are kept between them. Whoever comes while all of them
 * are in use waits for his turn.
 */
public final class ConnectionPool implements AutoCloseable {
  /** Less than servers and what stands before them keep an idle connection. */
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(20);

  private final Endpoint endpoint;
  private final Semaphore turns;
  private final Deque<Connection> idle = new ConcurrentLinkedDeque<>();
  private final Set<Connection> open = ConcurrentHashMap.newKeySet();
  private final ScheduledThreadPoolExecutor deadlines;
  private volatile boolean closed;

  /**
   * @param connections at most so many at a time
   */
  public ConnectionPool(Endpoint endpoint, int connections) {
    this.endpoint = endpoint;
    this.turns = new Semaphore(connections, true);
    this.deadlines =
        new ScheduledThreadPoolExecutor(1, Thread.ofVirtual().name("api-deadlines").factory());
    deadlines.setRemoveOnCancelPolicy(true);
  }

  /**
   * Sends a request and reads its answer, whatever its status; redirects are not followed.
   *
   * @param patience for all of it: the wait for a connection, the handshake, the answer's last byte
   * @throws SocketTimeoutException when the answer was not there in time
   * @throws InterruptedException when the thread is interrupted; a platform thread notices it only
   *     while it waits for a connection
   * @throws IOException when there was no answer, or none that could be understood; the request may
   *     have been carried out
   */
  public Response exchange(Request request, Duration patience)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    if (!turns.tryAcquire(patience.toNanos(), TimeUnit.NANOSECONDS)) {
      throw new SocketTimeoutException("no connection was free within %s".formatted(patience));
    }
    try {
      Connection kept = takeIdle();
      if (kept != null) {
        try {
          return attempt(kept, request, end);
        } catch (IOException failure) {
          if (!request.repeatable() || kept.answering() || out(end)) {
            throw failure;
          }
          // The server closed it while it was idle; then it closed the others, too.
          dropIdle();
        }
      }
      return attempt(new Connection(endpoint), request, end);
    } finally {
      turns.release();
    }
  }

  /**
   * Sends a request whose answer goes on for long, over a connection of its own which does not
   * count among those of the pool.
   *
   * @param patience for the answer's head
   * @param most how long the answer may take altogether
   * @throws IOException as {@link #exchange}
   */
  public Subscription subscribe(Request request, Duration patience, Duration most)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    Connection connection = new Connection(endpoint);
    Future<?> deadline = watch(connection, end);
    try {
      ResponseReader reader = connection.send(request);
      Response head = reader.readHead();
      if (deadline.cancel(false)) {
        Future<?> whole = watch(connection, System.nanoTime() + most.toNanos());
        return new Subscription(
            head,
            reader.stream(),
            () -> {
              whole.cancel(false);
              discard(connection);
            });
      }
      throw new IOException("no answer within the deadline");
    } catch (IOException failure) {
      deadline.cancel(false);
      discard(connection);
      throw reason(failure, end);
    }
  }

  private boolean out(long end) {
    return closed || System.nanoTime() - end >= 0;
  }

  private Response attempt(Connection connection, Request request, long end)
      throws IOException, InterruptedException {
    Future<?> deadline = watch(connection, end);
    boolean keep = false;
    try {
      Response response = connection.exchange(request);
      keep = connection.reusable();
      return response;
    } catch (IOException failure) {
      throw reason(failure, end);
    } finally {
      if (deadline.cancel(false) && keep) {
        idle.push(connection);
      } else {
        discard(connection);
      }
    }
  }

  private Future<?> watch(Connection connection, long end) throws IOException {
    open.add(connection);
    try {
      return deadlines.schedule(connection::close, end - System.nanoTime(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException shutDown) {
      discard(connection);
      throw new IOException("the client is closed", shutDown);
    }
  }

  /** Why the socket was closed, if it was closed from here. */
  private IOException reason(IOException failure, long end) throws InterruptedException {
    if (Thread.interrupted()) {
      InterruptedException interrupted = new InterruptedException("waiting for an answer");
      interrupted.initCause(failure);
      throw interrupted;
    }
    if (System.nanoTime() - end >= 0) {
      SocketTimeoutException late = new SocketTimeoutException("no answer within the deadline");
      late.initCause(failure);
      return late;
    }
    return failure;
  }

  private @Nullable Connection takeIdle() {
    discardOld();
    for (Connection next = idle.poll(); next != null; next = idle.poll()) {
      if (next.fresh(IDLE_NANOS)) {
        return next;
      }
      discard(next);
    }
    return null;
  }

  /** The last one has waited longest. */
  private void discardOld() {
    for (Connection oldest = idle.peekLast();
        oldest != null && !oldest.fresh(IDLE_NANOS);
        oldest = idle.peekLast()) {
      if (idle.removeLastOccurrence(oldest)) {
        discard(oldest);
      }
    }
  }

  private void dropIdle() {
    for (Connection next = idle.poll(); next != null; next = idle.poll()) {
      discard(next);
    }
  }

  private void discard(Connection connection) {
    connection.close();
    open.remove(connection);
  }

  /** Ends requests under way, too. Idempotent. */
  @Override
  public void close() {
    closed = true;
    deadlines.shutdownNow();
    open.forEach(Connection::close);
  }
}
