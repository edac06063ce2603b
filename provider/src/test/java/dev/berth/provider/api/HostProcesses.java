package dev.berth.provider.api;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.interaction.LogLine;
import dev.berth.portlayer.interaction.LogReader;
import dev.berth.portlayer.interaction.LogRequest;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.portlayer.interaction.Statistics;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A containerVM played by this machine's own processes and a log kept in memory. */
final class HostProcesses implements InteractionService {
  final List<Process> processes = new CopyOnWriteArrayList<>();
  final List<HostSession> sessions = new CopyOnWriteArrayList<>();
  final List<LogLine> log = new CopyOnWriteArrayList<>();
  final List<LogRequest> logRequests = new CopyOnWriteArrayList<>();
  volatile boolean logOver = true;
  final AtomicInteger openReaders = new AtomicInteger();
  volatile @Nullable LogReader preparedReader;

  @Override
  public ProcessSession exec(String containerVmId, ExecSpec spec) {
    if (spec.arguments().getFirst().equals("refuse")) {
      throw new PortLayerException(
          PortLayerException.Code.FAILED_PRECONDITION, "the container does not run");
    }
    return begin(spec.arguments());
  }

  @Override
  public ProcessSession attach(String containerVmId, boolean stdin) {
    return begin(List.of("sh", "-c", stdin ? "echo attached; cat" : "echo attached; exit 3"));
  }

  private ProcessSession begin(List<String> command) {
    HostSession session;
    try {
      Process process = new ProcessBuilder(command).start();
      processes.add(process);
      session = new HostSession(process, "");
    } catch (IOException e) {
      session = new HostSession(null, "exec: \"" + command.getFirst() + "\": not found");
    }
    sessions.add(session);
    return session;
  }

  @Override
  public LogReader logs(String containerVmId, LogRequest request) {
    logRequests.add(request);
    if (preparedReader != null) {
      return preparedReader;
    }
    openReaders.incrementAndGet();
    return new LogReader() {
      private int position = (int) Math.max(0, log.size() - request.tail().orElse(log.size()));
      private boolean closed;

      @Override
      public @Nullable LogLine next(Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (true) {
          while (position < log.size()) {
            LogLine line = log.get(position++);
            if (request.stream().isEmpty() || request.stream().get() == line.stream()) {
              return line;
            }
          }
          if (ended() || System.nanoTime() >= deadline) {
            return null;
          }
          Thread.onSpinWait();
        }
      }

      @Override
      public boolean ended() {
        return position >= log.size() && (logOver || !request.follow());
      }

      @Override
      public void close() {
        if (!closed) {
          closed = true;
          openReaders.decrementAndGet();
        }
      }
    };
  }

  @Override
  public void signal(String containerVmId, String signal) {
    throw new PortLayerException(PortLayerException.Code.UNSUPPORTED, "no signals here");
  }

  @Override
  public ProcessSession forwardPort(String containerVmId, int port) {
    try {
      return new SocketSession(new Socket(InetAddress.getLoopbackAddress(), port));
    } catch (IOException e) {
      throw new PortLayerException(
          PortLayerException.Code.UNAVAILABLE, "connection refused on port " + port, e);
    }
  }

  @Override
  public Statistics statistics(String containerVmId) {
    return new Statistics(Instant.EPOCH, 1_500_000_000L, 4096, 8192, 10, 100, 1, 5, 6);
  }

  /** Ends what a failed test left. */
  void endAll() throws InterruptedException {
    for (Process process : processes) {
      process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
    }
  }
}
