package dev.berth.portlayer.memory;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The little of a shell's language that tests use: lists, endless loops, quotes, variables. */
final class Script {
  /** A part of a script. */
  sealed interface Node {}

  /** A command with the separator before it. */
  record Command(String separator, String text) implements Node {}

  /** {@code while true; do BODY; done}. */
  record Loop(List<Node> body) implements Node {}

  private static final Pattern PARTS =
      Pattern.compile("((?:'[^']*'|\"[^\"]*\"|[^;\\n&|'\"]|>&|&(?=\\d))+)|(&&|\\|\\||;|\\n)");
  private static final Pattern WORD = Pattern.compile("((?:'[^']*'|\"[^\"]*\"|[^\\s'\"])+)");
  private static final Pattern QUOTED = Pattern.compile("'([^']*)'|\"([^\"]*)\"|([^'\"]+)");
  private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{(\\w+)\\}|(\\w+)|([$?]))");

  private Script() {}

  static List<Node> parse(String text) {
    List<Command> commands = new ArrayList<>();
    String separator = ";";
    Matcher matcher = PARTS.matcher(text);
    while (matcher.find()) {
      if (matcher.group(2) != null) {
        separator = matcher.group(2);
      } else if (!matcher.group(1).isBlank()) {
        commands.add(new Command(separator, matcher.group(1).strip()));
        separator = ";";
      }
    }
    return nest(new ArrayList<>(commands));
  }

  private static List<Node> nest(List<Command> commands) {
    List<Node> nodes = new ArrayList<>();
    while (!commands.isEmpty()) {
      Command command = commands.removeFirst();
      if (command.text().equals("done")) {
        return nodes;
      }
      if (command.text().startsWith("while ")) {
        nodes.add(new Loop(nest(commands)));
      } else if (command.text().startsWith("do ")) {
        nodes.add(new Command(";", command.text().substring(3).strip()));
      } else {
        nodes.add(command);
      }
    }
    return nodes;
  }

  /** A command's words with variables in them replaced. */
  static List<String> words(String text, Function<String, String> variables) {
    List<String> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(text);
    while (matcher.find()) {
      words.add(expand(matcher.group(1), variables));
    }
    return words;
  }

  private static String expand(String word, Function<String, String> variables) {
    StringBuilder expanded = new StringBuilder();
    Matcher quoted = QUOTED.matcher(word);
    while (quoted.find()) {
      if (quoted.group(1) != null) {
        expanded.append(quoted.group(1));
      } else {
        String open = quoted.group(2) != null ? quoted.group(2) : quoted.group(3);
        expanded.append(
            VARIABLE
                .matcher(open)
                .replaceAll(
                    found ->
                        Matcher.quoteReplacement(
                            variables.apply(found.group().replaceAll("[${}]", "")))));
      }
    }
    return expanded.toString();
  }
}
