package dev.berth.portlayer.contract;

import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.compute.ProcessSpec.Mount;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A process with everything left at its default, and what tests change about it.
 *
 * @param readOnlyRoot whether the container's root file system is read-only
 */
public record ProcessSpecs(
    List<String> arguments,
    List<String> environment,
    String workingDirectory,
    String user,
    boolean readOnlyRoot,
    boolean terminal,
    boolean stdin,
    List<Mount> mounts,
    boolean fallbackToLogs) {
  public static final String TERMINATION_MESSAGE = "/dev/termination-log";

  /** A program with its arguments. */
  public static ProcessSpecs of(String... arguments) {
    return new ProcessSpecs(
        List.of(arguments), List.of(), "", "", false, false, false, List.of(), false);
  }

  /** A shell that runs a script. */
  public static ProcessSpecs shell(String script) {
    return of("sh", "-c", script);
  }

  public ProcessSpecs withEnvironment(String... entries) {
    return new ProcessSpecs(
        arguments,
        List.of(entries),
        workingDirectory,
        user,
        readOnlyRoot,
        terminal,
        stdin,
        mounts,
        fallbackToLogs);
  }

  public ProcessSpecs withWorkingDirectory(String directory) {
    return new ProcessSpecs(
        arguments,
        environment,
        directory,
        user,
        readOnlyRoot,
        terminal,
        stdin,
        mounts,
        fallbackToLogs);
  }

  public ProcessSpecs withUser(String name) {
    return new ProcessSpecs(
        arguments,
        environment,
        workingDirectory,
        name,
        readOnlyRoot,
        terminal,
        stdin,
        mounts,
        fallbackToLogs);
  }

  public ProcessSpecs withReadOnlyRoot() {
    return new ProcessSpecs(
        arguments,
        environment,
        workingDirectory,
        user,
        true,
        terminal,
        stdin,
        mounts,
        fallbackToLogs);
  }

  public ProcessSpecs withStdin() {
    return new ProcessSpecs(
        arguments,
        environment,
        workingDirectory,
        user,
        readOnlyRoot,
        terminal,
        true,
        mounts,
        fallbackToLogs);
  }

  public ProcessSpecs withMounts(Mount... more) {
    return new ProcessSpecs(
        arguments,
        environment,
        workingDirectory,
        user,
        readOnlyRoot,
        terminal,
        stdin,
        List.of(more),
        fallbackToLogs);
  }

  public ProcessSpecs withFallbackToLogs() {
    return new ProcessSpecs(
        arguments,
        environment,
        workingDirectory,
        user,
        readOnlyRoot,
        terminal,
        stdin,
        mounts,
        true);
  }

  /** The port layer's form. */
  public ProcessSpec build() {
    return new ProcessSpec(
        arguments,
        environment,
        workingDirectory,
        terminal,
        stdin,
        stdin,
        Optional.empty(),
        new ProcessSpec.Security(
            user,
            List.of(),
            OptionalInt.empty(),
            List.of("CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_SETGID"),
            false,
            true,
            false,
            readOnlyRoot,
            List.of(),
            List.of(),
            Map.of()),
        mounts,
        List.of(),
        new ProcessSpec.Identity("guest", "", List.of(), List.of(), List.of(), List.of()),
        new ProcessSpec.TerminationMessage(TERMINATION_MESSAGE, fallbackToLogs));
  }
}
