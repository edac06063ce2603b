package dev.berth.cli.doctor;

import dev.berth.cli.CommandFailure;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code berth doctor}. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = {
      "Checks whether this machine can run containerVMs, and says what to do about what it lacks.",
      "Changes nothing, but keeps in ~/.cache/berth what it found out about the accelerator."
    })
public final class DoctorCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--boot",
      paramLabel = "DIRECTORY",
      description =
          "Kernel and initramfs of the containerVMs, to be checked too; with them KVM is put to the test.")
  private Optional<Path> boot = Optional.empty();

  @Override
  public void run() {
    PrintWriter output = spec.commandLine().getOut();
    List<Finding> findings =
        Examination.of(boot, Path.of(System.getProperty("user.home"), ".cache/berth"));
    findings.forEach(finding -> output.println(finding.line()));
    long missing =
        findings.stream().filter(finding -> finding.verdict() == Finding.Verdict.MISSING).count();
    if (missing > 0) {
      throw CommandFailure.of("%d things are missing".formatted(missing));
    }
  }
}
