package dev.berth.cli.vch;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;

/** How a command that shows something does so. */
final class OutputOption {
  /** The formats. */
  enum Format {
    table,
    json
  }

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "${COMPLETION-CANDIDATES}; ${DEFAULT-VALUE} by default.")
  private Format format = Format.table;

  boolean json() {
    return format == Format.json;
  }

  static void json(PrintWriter output, Object value) {
    output.println(JsonMapper.shared().writerWithDefaultPrettyPrinter().writeValueAsString(value));
  }

  /** Columns as wide as they need to be. */
  static void table(PrintWriter output, List<List<String>> rows) {
    List<Integer> widths = new ArrayList<>();
    for (List<String> row : rows) {
      for (int i = 0; i < row.size(); i++) {
        if (widths.size() <= i) {
          widths.add(0);
        }
        widths.set(i, Math.max(widths.get(i), row.get(i).length()));
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < row.size(); i++) {
        line.append(row.get(i)).repeat(' ', widths.get(i) - row.get(i).length() + 3);
      }
      output.println(line.toString().stripTrailing());
    }
  }
}
