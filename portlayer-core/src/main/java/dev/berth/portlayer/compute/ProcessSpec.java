package dev.berth.portlayer.compute;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The process of a container, with the image's configuration already merged in. May hold secrets in
 * its environment: it is never written to a disk or a log, and its {@code toString} tells only the
 * command's name.
 *
 * @param arguments the program and its arguments; at least one
 * @param environment {@code NAME=value}; a later one wins
 * @param workingDirectory empty is {@code /}
 * @param terminal whether it gets a terminal instead of three pipes
 * @param stdin whether it has an input that {@code attach} can write to
 * @param stdinOnce whether the input ends when the first attached client goes
 * @param stopSignal empty is SIGTERM
 */
public record ProcessSpec(
    List<String> arguments,
    List<String> environment,
    String workingDirectory,
    boolean terminal,
    boolean stdin,
    boolean stdinOnce,
    Optional<String> stopSignal,
    Security security,
    List<Mount> mounts,
    List<ResourceLimit> limits,
    Identity identity,
    TerminationMessage terminationMessage) {
  public ProcessSpec {
    arguments = List.copyOf(arguments);
    environment = List.copyOf(environment);
    mounts = List.copyOf(mounts);
    limits = List.copyOf(limits);
    Objects.requireNonNull(security, "security");
    if (arguments.isEmpty()) {
      throw new IllegalArgumentException("a process has at least one argument, its program");
    }
  }

  @Override
  public String toString() {
    return "ProcessSpec[" + arguments.getFirst() + "]";
  }

  /**
   * Who the process is and what it may do.
   *
   * @param user {@code ""}, {@code name}, {@code uid}, {@code name:group} or {@code uid:gid}
   * @param filesystemGroup owner group of writable volumes, and a supplementary group
   * @param capabilities names such as {@code CAP_CHOWN}
   * @param privileged all capabilities and devices, nothing masked
   * @param seccomp whether the runtime's default system call filter applies
   */
  public record Security(
      String user,
      List<Integer> supplementaryGroups,
      OptionalInt filesystemGroup,
      List<String> capabilities,
      boolean noNewPrivileges,
      boolean seccomp,
      boolean privileged,
      boolean readOnlyRoot,
      List<String> maskedPaths,
      List<String> readOnlyPaths,
      Map<String, String> sysctls) {
    public Security {
      supplementaryGroups = List.copyOf(supplementaryGroups);
      capabilities = List.copyOf(capabilities);
      maskedPaths = List.copyOf(maskedPaths);
      readOnlyPaths = List.copyOf(readOnlyPaths);
      sysctls = Map.copyOf(sysctls);
    }
  }

  /**
   * One thing mounted into the container's file system.
   *
   * @param destination absolute path
   * @param subPath relative path inside the source; empty is the whole
   */
  public record Mount(String destination, Source source, boolean readOnly, String subPath) {}

  /** What is mounted. */
  public sealed interface Source {
    /** A directory on the scratch disk that outlives restarts of the process. */
    record ScratchDirectory(String name) implements Source {}

    /** A volume written by {@link ComputeService#writeVolume}. */
    record Files(String volume) implements Source {}

    /**
     * Memory that outlives restarts of the process.
     *
     * @param sizeLimit bytes; 0 is half of the VM's memory
     */
    record Memory(String name, long sizeLimit) implements Source {}

    /** An attached VOLUME disk, by the disk's id. */
    record Disk(String diskId) implements Source {}
  }

  /** A limit as in setrlimit(2): {@code NOFILE}. */
  public record ResourceLimit(String name, long soft, long hard) {}

  /**
   * How the process sees itself and others by name.
   *
   * @param hostname a DNS label, or the full name, which then ends with the domain
   * @param domain empty when there is none; /etc/hosts has both names where it is given
   * @param hostAliases more lines of /etc/hosts
   */
  public record Identity(
      String hostname,
      String domain,
      List<String> nameServers,
      List<String> searches,
      List<String> options,
      List<HostAlias> hostAliases) {
    public Identity {
      nameServers = List.copyOf(nameServers);
      searches = List.copyOf(searches);
      options = List.copyOf(options);
      hostAliases = List.copyOf(hostAliases);
    }
  }

  /** One more line of /etc/hosts. */
  public record HostAlias(String address, List<String> names) {
    public HostAlias {
      names = List.copyOf(names);
    }
  }

  /**
   * Where the process leaves its last words, and whether the end of its log serves instead after an
   * error.
   */
  public record TerminationMessage(String path, boolean fallbackToLogs) {}
}
