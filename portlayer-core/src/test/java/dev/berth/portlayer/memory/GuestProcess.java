package dev.berth.portlayer.memory;

import dev.berth.portlayer.interaction.ExecSpec.TerminalSize;
import dev.berth.portlayer.interaction.LogLine.Stream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.ListIterator;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A process that no kernel runs: a script is interpreted step by step, without a thread of its own.
 * Every method is called with the VM's monitor held, which is also held for what it calls back.
 */
final class GuestProcess {
  /** One clock for every process there is. */
  private static final ScheduledExecutorService CLOCK =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("memory-port-layer").factory());

  /** Where a process's output and end go. */
  interface Listener {
    void output(Stream stream, byte[] bytes);

    void exited(int code, int signal);
  }

  /**
   * What a process finds around it.
   *
   * @param programs paths that the image knows beyond the applets; they run until they are stopped
   */
  record Surroundings(
      Object monitor,
      Map<String, String> environment,
      FileTree.View files,
      String workingDirectory,
      String hostname,
      String user,
      boolean terminal,
      Set<String> programs) {}

  /** What a command came to. */
  static final int BLOCKED = -1;

  /** The command is a script, which comes next. */
  static final int CONTINUES = -2;

  static final int UNKNOWN_COMMAND = 127;

  private final Surroundings surroundings;
  private final Listener listener;
  private final Applets applets = new Applets(this);
  private final Deque<ListIterator<Script.Node>> stack = new ArrayDeque<>();
  private final Map<Integer, String> traps = new HashMap<>();
  private final Map<String, String> variables;
  private final ByteArrayOutputStream pendingInput = new ByteArrayOutputStream();

  private TerminalSize size = new TerminalSize(80, 24);
  private @Nullable InputHandler reading;
  private boolean inputClosed;
  private boolean running;
  private boolean over;
  private int lastCode;

  /** Differs for every time the process is blocked, so that an old timer does not wake it. */
  private long blockade;

  /** Gets what arrives on the input while a command waits for it. */
  interface InputHandler {
    /**
     * @return the command's exit code, or {@link #BLOCKED} when it wants more
     */
    int input(ByteArrayOutputStream available, boolean closed);
  }

  GuestProcess(Surroundings surroundings, boolean input, Listener listener) {
    this.surroundings = surroundings;
    this.listener = listener;
    this.inputClosed = !input;
    this.variables = new HashMap<>(surroundings.environment());
  }

  Surroundings surroundings() {
    return surroundings;
  }

  /** Whether there is such a program. */
  boolean knows(List<String> arguments) {
    String name = arguments.getFirst();
    return surroundings.programs().contains(name) || Applets.knows(name);
  }

  /** Begins with a program that is known. */
  void begin(List<String> arguments) {
    proceedAfter(applets.run(arguments, Stream.STDOUT));
  }

  /** Runs a script before the rest. */
  int script(String text) {
    stack.push(Script.parse(text).listIterator());
    return CONTINUES;
  }

  private void proceedAfter(int code) {
    if (code == BLOCKED || running) {
      return;
    }
    if (code != CONTINUES) {
      lastCode = code;
    }
    running = true;
    try {
      proceed();
    } finally {
      running = false;
    }
  }

  private void proceed() {
    while (!over) {
      ListIterator<Script.Node> nodes = stack.peek();
      if (nodes == null) {
        exit(lastCode, 0);
      } else if (!nodes.hasNext()) {
        stack.pop();
      } else if (!step(nodes, nodes.next())) {
        return;
      }
    }
  }

  /** Returns false when the process is blocked. */
  private boolean step(ListIterator<Script.Node> nodes, Script.Node node) {
    return switch (node) {
      case Script.Loop loop -> {
        nodes.previous();
        stack.push(loop.body().listIterator());
        yield pauseInLoop();
      }
      case Script.Command command -> run(command);
    };
  }

  private boolean run(Script.Command command) {
    boolean skip =
        (command.separator().equals("&&") && lastCode != 0)
            || (command.separator().equals("||") && lastCode == 0);
    if (skip) {
      return true;
    }
    int code = applets.runLine(Script.words(command.text(), this::variable));
    lastCode = code < 0 ? lastCode : code;
    return code != BLOCKED;
  }

  /** An endless loop must not keep the thread that runs it. */
  private boolean pauseInLoop() {
    wakeAfter(1_000_000);
    return false;
  }

  int sleep(double seconds) {
    wakeAfter((long) (seconds * 1e9));
    return BLOCKED;
  }

  private void wakeAfter(long nanoseconds) {
    long current = ++blockade;
    var _ =
        CLOCK.schedule(
            () -> {
              synchronized (surroundings.monitor()) {
                if (current == blockade && !over) {
                  proceedAfter(0);
                }
              }
            },
            nanoseconds,
            TimeUnit.NANOSECONDS);
  }

  int read(InputHandler handler) {
    blockade++;
    int code = handler.input(pendingInput, inputClosed);
    reading = code == BLOCKED ? handler : null;
    return code;
  }

  /** Waits until it is stopped. */
  int forever() {
    blockade++;
    return BLOCKED;
  }

  void input(byte[] bytes) {
    if (!inputClosed) {
      pendingInput.writeBytes(bytes);
      feed();
    }
  }

  void closeInput() {
    if (!inputClosed) {
      inputClosed = true;
      feed();
    }
  }

  private void feed() {
    InputHandler handler = reading;
    if (handler == null || over) {
      return;
    }
    int code = handler.input(pendingInput, inputClosed);
    if (code != BLOCKED) {
      reading = null;
      proceedAfter(code);
    }
  }

  void resize(TerminalSize newSize) {
    size = newSize;
  }

  TerminalSize size() {
    return size;
  }

  void trap(int signal, String action) {
    traps.put(signal, action);
  }

  void assign(String name, String value) {
    variables.put(name, value);
  }

  void signal(int signal) {
    if (over) {
      return;
    }
    String action = signal == Signals.KILL ? null : traps.get(signal);
    if (action == null) {
      if (Signals.endsProcess(signal)) {
        exit(128 + signal, signal);
      }
    } else if (!action.isEmpty()) {
      reading = null;
      blockade++;
      proceedAfter(script(action));
    }
  }

  void print(Stream stream, byte[] bytes) {
    boolean terminal = surroundings.terminal();
    byte[] printed =
        terminal
            ? new String(bytes, StandardCharsets.ISO_8859_1)
                .replace("\n", "\r\n")
                .getBytes(StandardCharsets.ISO_8859_1)
            : bytes;
    listener.output(terminal ? Stream.STDOUT : stream, printed);
  }

  void exit(int code, int signal) {
    if (!over) {
      over = true;
      blockade++;
      stack.clear();
      listener.exited(code, signal);
    }
  }

  boolean over() {
    return over;
  }

  private String variable(String name) {
    return switch (name) {
      case "" -> "1";
      case "?" -> Integer.toString(lastCode);
      default -> variables.getOrDefault(name, "");
    };
  }
}
