package dev.berth.portlayer.compute;

import java.util.List;
import java.util.Objects;

/**
 * The process that a containerVM is powered on with. Holds secrets as {@link ProcessSpec} and
 * {@link FilesVolume} do.
 *
 * @param containerVmId a member of the group
 * @param attempt as for {@link ComputeService#startProcess}
 * @param volumes written before the process is started, as by {@link ComputeService#writeVolume}
 */
public record InitialProcess(
    String containerVmId, int attempt, ProcessSpec process, List<FilesVolume> volumes) {
  public InitialProcess {
    Objects.requireNonNull(containerVmId, "containerVmId");
    Objects.requireNonNull(process, "process");
    volumes = List.copyOf(volumes);
  }
}
