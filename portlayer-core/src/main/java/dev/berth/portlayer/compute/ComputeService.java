package dev.berth.portlayer.compute;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Creates, starts, stops and lists groups of containerVMs in the VCH's pool, and the one process in
 * each. The state of record is kept with the VMs: a new process that has this service knows all
 * that {@link #list} ever knew.
 */
public interface ComputeService {
  /**
   * Records a group; nothing runs yet. Idempotent by id with an equal specification. Atomic: all
   * members or none.
   *
   * @throws dev.berth.portlayer.PortLayerException ALREADY_EXISTS (same id, other specification),
   *     RESOURCE_EXHAUSTED (the pool cannot ever hold it), NOT_FOUND (a disk or network that is
   *     attached does not exist), UNSUPPORTED (a placement the backend cannot honour)
   */
  Group create(GroupSpec spec);

  /**
   * Powers on every member that is off, and starts the processes it is given: each as soon as its
   * guest can, without another call. Returns when every member is ready and every process was
   * started or could not be. Idempotent: an attempt that was made already is not made again.
   *
   * <p>A process has no other fate than one that came by {@link #writeVolume} and {@link
   * #startProcess}, and a member that is on already gets it that way. One that cannot be started is
   * not an error of this method: its containerVM has exited with {@link
   * ProcessState.Reason#START_ERROR}. A backend that cannot hand a process to a guest in private
   * before it has booted does it afterwards; no backend keeps one on a datastore.
   *
   * <p>When this method fails, members may be on and processes may run: it may be called again.
   *
   * @param initial at most one for each member; a member without one is ready for a process
   * @param deadline how long to wait for readiness
   * @throws dev.berth.portlayer.PortLayerException NOT_FOUND (the group, or a process's containerVM
   *     in it), RESOURCE_EXHAUSTED, UNAVAILABLE (a guest did not boot; the message tells what its
   *     console said last), DEADLINE_EXCEEDED, INVALID_ARGUMENT (as {@link #writeVolume}, or two
   *     processes for one containerVM), FAILED_PRECONDITION (another attempt runs, or the attempt
   *     is lower than an earlier one)
   */
  Group powerOn(String groupId, List<InitialProcess> initial, Duration deadline);

  /** As {@link #powerOn(String, List, Duration)}, without a process: each member is then ready. */
  default Group powerOn(String groupId, Duration deadline) {
    return powerOn(groupId, List.of(), deadline);
  }

  /**
   * Ends every process, as {@link #stopProcess} does, and powers every member off. Idempotent.
   * Disks, endpoints and records stay.
   *
   * @throws dev.berth.portlayer.PortLayerException NOT_FOUND
   */
  Group powerOff(String groupId, Duration gracePeriod);

  /**
   * Powers every member off at once and forgets the group. Idempotent. Disks and endpoints stay:
   * whoever made them deletes them.
   */
  void destroy(String groupId);

  Optional<Group> find(String groupId);

  /** Every group of the VCH, in no order. */
  List<Group> list();

  /**
   * Replaces the files of one in-memory volume of a containerVM, all at once as seen from inside.
   * Idempotent. The content lives in the guest's memory only and must be written again after a
   * power-on, before {@link #startProcess}.
   *
   * @throws dev.berth.portlayer.PortLayerException NOT_FOUND, FAILED_PRECONDITION (not ready),
   *     INVALID_ARGUMENT, RESOURCE_EXHAUSTED
   */
  void writeVolume(String containerVmId, FilesVolume volume);

  /**
   * Starts the process on a fresh scratch layer. Idempotent by attempt. A process that cannot be
   * started is not an error of this method: the containerVM returned has exited with {@link
   * ProcessState.Reason#START_ERROR}.
   *
   * @param attempt 0 for the first; higher than every earlier one
   * @throws dev.berth.portlayer.PortLayerException NOT_FOUND, FAILED_PRECONDITION (not ready,
   *     another attempt runs, or the attempt is lower than an earlier one)
   */
  ContainerVm startProcess(String containerVmId, int attempt, ProcessSpec process);

  /**
   * Sends the stop signal, waits for the end, sends KILL after the grace period, and returns when
   * the process is over. Idempotent. A concurrent call with a shorter grace period shortens the
   * wait.
   *
   * @throws dev.berth.portlayer.PortLayerException NOT_FOUND, UNAVAILABLE (the guest does not
   *     answer: power off instead)
   */
  ContainerVm stopProcess(String containerVmId, Duration gracePeriod);

  Capacity capacity();

  HostInformation host();
}
