package dev.berth.portlayer.tether;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import dev.berth.portlayer.compute.FilesVolume;
import dev.berth.portlayer.compute.GuestReport;
import dev.berth.portlayer.compute.InitialProcess;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.compute.ProcessState;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.Statistics;
import dev.berth.tether.v1.File;
import dev.berth.tether.v1.HostAlias;
import dev.berth.tether.v1.MemoryDirectory;
import dev.berth.tether.v1.Mount;
import dev.berth.tether.v1.NameResolution;
import dev.berth.tether.v1.Process;
import dev.berth.tether.v1.ResourceLimit;
import dev.berth.tether.v1.SeccompProfile;
import dev.berth.tether.v1.StartRequest;
import dev.berth.tether.v1.State;
import dev.berth.tether.v1.StatsResponse;
import dev.berth.tether.v1.TerminalSize;
import dev.berth.tether.v1.TerminationMessagePolicy;
import dev.berth.tether.v1.WriteVolumeRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** Translates between the port layer's records and the schema. */
public final class TetherMessages {
  private TetherMessages() {}

  /** What a tether answers, as the same told through its state port. */
  public static GuestReport report(State state) {
    Optional<ProcessState> process =
        switch (state.getPhase()) {
          case RUNNING ->
              Optional.of(
                  new ProcessState.Running(state.getAttempt(), instant(state.getStartedAt())));
          case EXITED -> Optional.of(exited(state));
          case READY, PHASE_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
        };
    return new GuestReport(
        state.getBootId(), state.getSequence(), true, process, state.getMessage());
  }

  private static ProcessState.Exited exited(State state) {
    Instant finished = instant(state.getFinishedAt());
    return new ProcessState.Exited(
        state.getAttempt(),
        state.hasStartedAt() ? instant(state.getStartedAt()) : finished,
        finished,
        state.getExitCode(),
        state.getSignal(),
        ProcessState.Reason.of(state.getReason()),
        state.getMessage());
  }

  static Instant instant(Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }

  static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  static com.google.protobuf.Duration duration(Duration duration) {
    return com.google.protobuf.Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }

  static WriteVolumeRequest volume(FilesVolume volume) {
    WriteVolumeRequest.Builder request = WriteVolumeRequest.newBuilder().setVolume(volume.name());
    for (FilesVolume.Entry entry : volume.files()) {
      request.addFiles(
          File.newBuilder()
              .setPath(entry.path())
              .setContent(ByteString.copyFrom(entry.content()))
              .setMode(entry.mode()));
    }
    volume.user().ifPresent(request::setUser);
    volume.group().ifPresent(request::setGroup);
    return request.build();
  }

  /**
   * What a tether starts by itself when it has booted.
   *
   * @param clock the time at the power-on
   * @param serialOfDisk gives the serial number under which a disk is attached, from the disk's id
   */
  public static byte[] initialProcess(
      InitialProcess initial, Instant clock, UnaryOperator<String> serialOfDisk) {
    return dev.berth.tether.v1.InitialProcess.newBuilder()
        .addAllVolumes(initial.volumes().stream().map(TetherMessages::volume).toList())
        .setStart(
            StartRequest.newBuilder()
                .setAttempt(initial.attempt())
                .setProcess(process(initial.process(), serialOfDisk))
                .setClock(timestamp(clock)))
        .build()
        .toByteArray();
  }

  static Process process(ProcessSpec spec, UnaryOperator<String> serialOfDisk) {
    Process.Builder process =
        Process.newBuilder()
            .addAllArguments(spec.arguments())
            .addAllEnvironment(spec.environment())
            .setWorkingDirectory(spec.workingDirectory())
            .setTerminal(spec.terminal())
            .setStdin(spec.stdin())
            .setStdinOnce(spec.stdinOnce())
            .setStopSignal(spec.stopSignal().orElse(""))
            .setTerminationMessagePath(spec.terminationMessage().path())
            .setTerminationMessagePolicy(
                spec.terminationMessage().fallbackToLogs()
                    ? TerminationMessagePolicy.FALLBACK_TO_LOGS_ON_ERROR
                    : TerminationMessagePolicy.FILE);
    for (ProcessSpec.Mount mount : spec.mounts()) {
      process.addMounts(mount(mount, serialOfDisk));
    }
    for (ProcessSpec.ResourceLimit limit : spec.limits()) {
      process.addLimits(
          ResourceLimit.newBuilder()
              .setName(limit.name())
              .setSoft(limit.soft())
              .setHard(limit.hard()));
    }
    secure(process, spec.security());
    identify(process, spec.identity());
    return process.build();
  }

  private static Mount mount(ProcessSpec.Mount mount, UnaryOperator<String> serialOfDisk) {
    Mount.Builder message =
        Mount.newBuilder()
            .setDestination(mount.destination())
            .setReadOnly(mount.readOnly())
            .setSubPath(mount.subPath());
    switch (mount.source()) {
      case ProcessSpec.Source.ScratchDirectory(String name) -> message.setScratchDirectory(name);
      case ProcessSpec.Source.Files(String volume) -> message.setFiles(volume);
      case ProcessSpec.Source.Memory(String name, long sizeLimit) ->
          message.setMemory(MemoryDirectory.newBuilder().setName(name).setSizeLimit(sizeLimit));
      case ProcessSpec.Source.Disk(String diskId) -> message.setDisk(serialOfDisk.apply(diskId));
    }
    return message.build();
  }

  private static void secure(Process.Builder process, ProcessSpec.Security security) {
    process
        .setUser(security.user())
        .addAllSupplementaryGroups(security.supplementaryGroups())
        .addAllCapabilities(security.capabilities())
        .setNoNewPrivileges(security.noNewPrivileges())
        .setSeccomp(security.seccomp() ? SeccompProfile.RUNTIME_DEFAULT : SeccompProfile.UNCONFINED)
        .setPrivileged(security.privileged())
        .setReadOnlyRoot(security.readOnlyRoot())
        .addAllMaskedPaths(security.maskedPaths())
        .addAllReadOnlyPaths(security.readOnlyPaths())
        .putAllSysctls(security.sysctls());
    security.filesystemGroup().ifPresent(process::setFilesystemGroup);
  }

  private static void identify(Process.Builder process, ProcessSpec.Identity identity) {
    process
        .setHostname(identity.hostname())
        .setDomainName(identity.domain())
        .setNameResolution(
            NameResolution.newBuilder()
                .addAllServers(identity.nameServers())
                .addAllSearches(identity.searches())
                .addAllOptions(identity.options()));
    for (ProcessSpec.HostAlias alias : identity.hostAliases()) {
      process.addHostAliases(
          HostAlias.newBuilder().setAddress(alias.address()).addAllNames(alias.names()));
    }
  }

  static TerminalSize size(ExecSpec.TerminalSize size) {
    return TerminalSize.newBuilder().setColumns(size.columns()).setRows(size.rows()).build();
  }

  static Statistics statistics(StatsResponse stats) {
    return new Statistics(
        instant(stats.getTime()),
        stats.getCpuNanoseconds(),
        stats.getMemoryWorkingSet(),
        stats.getMemoryUsage(),
        stats.getScratchUsed(),
        stats.getScratchCapacity(),
        stats.getProcesses(),
        stats.getNetworkReceived(),
        stats.getNetworkSent());
  }
}
