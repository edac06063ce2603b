package dev.berth.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.berth.cli.doctor.DoctorCommand;
import dev.berth.cli.quickstart.QuickstartCommand;
import dev.berth.cli.vch.VchCommand;
import dev.berth.portlayer.PortLayerException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code berth}, and how its commands fail: one line on stderr for each problem, and a code. */
@Command(
    name = "berth",
    description = "Runs Kubernetes Pods as groups of containerVMs.",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    versionProvider = VersionCommand.Provider.class,
    subcommands = {
      KubeletCommand.class,
      QuickstartCommand.class,
      VchCommand.class,
      DoctorCommand.class,
      VersionCommand.class
    },
    footer = {
      "",
      "Exit codes: 0 done, 1 failed, 2 called wrongly.",
      "'berth COMMAND --help' tells more."
    })
public final class BerthCommand implements Runnable {
  private static final Set<String> LEVELS = Set.of("error", "warn", "info", "debug", "trace");
  private static final org.slf4j.Logger LOG = LoggerFactory.getLogger(BerthCommand.class);

  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--log-level",
      paramLabel = "LEVEL",
      scope = ScopeType.INHERIT,
      description =
          "How much to log on stderr: error, warn, info, debug or trace; info, and of 'vch' warn.")
  private Optional<String> logLevel = Optional.empty();

  /** Runs a command; returns its exit code. */
  public static int run(PrintWriter output, PrintWriter errors, String... arguments) {
    CommandLine line = new CommandLine(new BerthCommand());
    line.setOut(output);
    line.setErr(errors);
    line.setUsageHelpAutoWidth(true);
    line.setUsageHelpLongOptionsMaxWidth(30);
    line.setParameterExceptionHandler(BerthCommand::wronglyCalled);
    line.setExecutionExceptionHandler(BerthCommand::failed);
    line.setExecutionStrategy(BerthCommand::execute);
    return line.execute(arguments);
  }

  private static int execute(ParseResult result) {
    BerthCommand top = (BerthCommand) result.commandSpec().userObject();
    boolean brief =
        result.hasSubcommand() && result.subcommand().commandSpec().name().equals("vch");
    top.applyLogLevel(brief ? "warn" : "info");
    return new CommandLine.RunLast().execute(result);
  }

  private void applyLogLevel(String otherwise) {
    String level = logLevel.orElse(otherwise).toLowerCase(Locale.ROOT);
    if (!LEVELS.contains(level)) {
      throw new ParameterException(
          spec.commandLine(),
          "--log-level %s: use error, warn, info, debug or trace".formatted(level));
    }
    if (LoggerFactory.getLogger("dev.berth") instanceof Logger logger) {
      logger.setLevel(Level.toLevel(level));
    }
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "a command is missing: kubelet, quickstart, vch, doctor or version");
  }

  private static int wronglyCalled(ParameterException failure, String[] arguments) {
    CommandLine line = failure.getCommandLine();
    String name = line.getCommandSpec().qualifiedName();
    line.getErr().println("%s: %s (see '%s --help')".formatted(name, oneLine(failure), name));
    return CommandFailure.USAGE;
  }

  private static int failed(Exception failure, CommandLine line, ParseResult result) {
    String name = line.getCommandSpec().qualifiedName();
    switch (failure) {
      case CommandFailure told -> {
        String.valueOf(told.getMessage())
            .lines()
            .forEach(problem -> line.getErr().println(name + ": " + problem));
        return told.exitCode();
      }
      case PortLayerException refused -> line.getErr().println(name + ": " + oneLine(refused));
      default -> {
        line.getErr()
            .println(
                "%s: unexpected %s: %s (--log-level debug tells where)"
                    .formatted(name, failure.getClass().getSimpleName(), oneLine(failure)));
        LOG.debug("unexpected failure", failure);
      }
    }
    return CommandFailure.FAILURE;
  }

  private static String oneLine(Exception failure) {
    return String.valueOf(failure.getMessage()).replaceAll("\\s*\\R\\s*", " ");
  }
}
