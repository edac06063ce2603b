package dev.berth.portlayer.memory;

import dev.berth.portlayer.interaction.LogLine.Stream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** The programs of an emulated process, each a small part of what its namesake does. */
final class Applets {
  private static final Set<String> NAMES =
      Set.of(
          "[",
          ":",
          "busybox",
          "cat",
          "echo",
          "env",
          "exit",
          "false",
          "hostname",
          "id",
          "kill",
          "nc",
          "printenv",
          "pwd",
          "read",
          "seq",
          "sh",
          "sleep",
          "stty",
          "test",
          "trap",
          "true",
          "uname",
          "wc");
  private static final Pattern DIRECTORY = Pattern.compile("^(/usr)?/s?bin/");

  private final GuestProcess process;

  Applets(GuestProcess process) {
    this.process = process;
  }

  static boolean knows(String name) {
    return NAMES.contains(bare(name));
  }

  private static String bare(String name) {
    return DIRECTORY.matcher(name).replaceFirst("");
  }

  /** Runs a line of a script, with its redirections. */
  int runLine(List<String> line) {
    List<String> arguments = new ArrayList<>();
    Stream stream = Stream.STDOUT;
    Optional<String> file = Optional.empty();
    boolean append = false;
    for (int i = 0; i < line.size(); i++) {
      String word = line.get(i);
      if (word.equals(">&2") || word.equals("1>&2")) {
        stream = Stream.STDERR;
      } else if (word.equals(">") || word.equals(">>")) {
        file = Optional.of(line.get(++i));
        append = word.equals(">>");
      } else if (!word.startsWith("2>")) {
        arguments.add(word);
      }
    }
    if (arguments.getFirst().equals("exec")) {
      arguments.removeFirst();
    }
    return file.isPresent() ? redirect(arguments, file.get(), append) : run(arguments, stream);
  }

  private int redirect(List<String> arguments, String file, boolean append) {
    String text = arguments.getFirst().equals("echo") ? echo(arguments) : "";
    if (process.surroundings().files().write(file, text, append)) {
      return 0;
    }
    error("sh: can't create %s: Read-only file system".formatted(file));
    return 1;
  }

  int run(List<String> arguments, Stream stream) {
    if (process.surroundings().programs().contains(arguments.getFirst())) {
      return process.forever();
    }
    String name = bare(arguments.getFirst());
    return switch (name) {
      case "busybox" -> run(arguments.subList(1, arguments.size()), stream);
      case "true", ":" -> 0;
      case "false" -> 1;
      case "echo" -> print(stream, echo(arguments));
      case "env", "printenv" -> environment(arguments);
      case "pwd" -> print(stream, process.surroundings().workingDirectory() + "\n");
      case "hostname" -> print(stream, process.surroundings().hostname() + "\n");
      case "uname" -> print(stream, "6.1.0-memory\n");
      case "id" -> print(stream, process.surroundings().user() + "\n");
      case "seq" -> sequence(stream, arguments);
      case "test", "[" -> process.surroundings().terminal() ? 0 : 1;
      case "stty" -> print(stream, process.size().rows() + " " + process.size().columns() + "\n");
      default -> runLasting(name, arguments, stream);
    };
  }

  private int runLasting(String name, List<String> arguments, Stream stream) {
    return switch (name) {
      case "sh" -> shell(arguments);
      case "sleep" -> process.sleep(Double.parseDouble(arguments.get(1)));
      case "cat" -> cat(arguments, stream);
      case "wc" -> process.read(this::count);
      case "read" -> process.read((input, closed) -> readLine(arguments, input, closed));
      case "nc" -> process.forever();
      case "exit" -> {
        process.exit(arguments.size() > 1 ? Integer.parseInt(arguments.get(1)) & 0xff : 0, 0);
        yield GuestProcess.BLOCKED;
      }
      case "trap" -> {
        process.trap(Signals.number(arguments.get(2)), arguments.get(1));
        yield 0;
      }
      case "kill" -> {
        process.signal(Signals.number(arguments.get(1).substring(1)));
        yield process.over() ? GuestProcess.BLOCKED : 0;
      }
      default -> {
        error("sh: %s: not found".formatted(arguments.getFirst()));
        yield GuestProcess.UNKNOWN_COMMAND;
      }
    };
  }

  private int print(Stream stream, String text) {
    process.print(stream, text.getBytes(StandardCharsets.UTF_8));
    return 0;
  }

  private void error(String text) {
    print(Stream.STDERR, text + "\n");
  }

  private static String echo(List<String> arguments) {
    boolean bare = arguments.size() > 1 && arguments.get(1).equals("-n");
    String words = String.join(" ", arguments.subList(bare ? 2 : 1, arguments.size()));
    return bare ? words : words + "\n";
  }

  private int environment(List<String> arguments) {
    process
        .surroundings()
        .environment()
        .forEach(
            (name, value) -> {
              if (arguments.size() == 1) {
                print(Stream.STDOUT, name + "=" + value + "\n");
              } else if (name.equals(arguments.get(1))) {
                print(Stream.STDOUT, value + "\n");
              }
            });
    return 0;
  }

  private int sequence(Stream stream, List<String> arguments) {
    int first = arguments.size() > 2 ? Integer.parseInt(arguments.get(1)) : 1;
    StringBuilder numbers = new StringBuilder();
    for (int i = first; i <= Integer.parseInt(arguments.getLast()); i++) {
      numbers.append(i).append('\n');
    }
    return print(stream, numbers.toString());
  }

  private int shell(List<String> arguments) {
    if (arguments.size() > 2 && arguments.get(1).equals("-c")) {
      return process.script(arguments.get(2));
    }
    return process.read(this::interpret);
  }

  /** A shell that reads its commands from its input. */
  private int interpret(ByteArrayOutputStream input, boolean closed) {
    if (!closed) {
      return GuestProcess.BLOCKED;
    }
    String text = input.toString(StandardCharsets.UTF_8);
    input.reset();
    return process.script(text);
  }

  private int cat(List<String> arguments, Stream stream) {
    if (arguments.size() == 1) {
      return process.read((input, closed) -> copy(input, closed, stream));
    }
    int code = 0;
    for (String file : arguments.subList(1, arguments.size())) {
      Optional<byte[]> content = process.surroundings().files().read(file);
      if (content.isPresent()) {
        process.print(stream, content.get());
      } else {
        error("cat: can't open '%s': No such file or directory".formatted(file));
        code = 1;
      }
    }
    return code;
  }

  private int copy(ByteArrayOutputStream input, boolean closed, Stream stream) {
    if (input.size() > 0) {
      process.print(stream, input.toByteArray());
      input.reset();
    }
    return closed ? 0 : GuestProcess.BLOCKED;
  }

  private int count(ByteArrayOutputStream input, boolean closed) {
    return closed ? print(Stream.STDOUT, input.size() + "\n") : GuestProcess.BLOCKED;
  }

  private int readLine(List<String> arguments, ByteArrayOutputStream input, boolean closed) {
    String text = input.toString(StandardCharsets.UTF_8);
    int end = text.indexOf('\n');
    if (end < 0) {
      return closed ? 1 : GuestProcess.BLOCKED;
    }
    input.reset();
    input.writeBytes(text.substring(end + 1).getBytes(StandardCharsets.UTF_8));
    process.assign(arguments.size() > 1 ? arguments.get(1) : "REPLY", text.substring(0, end));
    return 0;
  }
}
