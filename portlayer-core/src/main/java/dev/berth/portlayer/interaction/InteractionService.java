package dev.berth.portlayer.interaction;

/**
 * Talks to what runs in a containerVM, through its tether; logs are read from where the hypervisor
 * wrote them.
 */
public interface InteractionService {
  /**
   * Begins another process in the container. Not idempotent.
   *
   * @throws dev.berth.portlayer.PortLayerException NOT_FOUND, FAILED_PRECONDITION (the container's
   *     process does not run), UNAVAILABLE
   */
  ProcessSession exec(String containerVmId, ExecSpec spec);

  /**
   * Joins the container's first process; output from now on.
   *
   * @param stdin whether to write to its input too
   * @throws dev.berth.portlayer.PortLayerException as {@link #exec}
   */
  ProcessSession attach(String containerVmId, boolean stdin);

  /**
   * Opens the container's log; works for a VM that is powered off, too.
   *
   * @throws dev.berth.portlayer.PortLayerException NOT_FOUND (no such containerVM, or no such
   *     attempt in its log)
   */
  LogReader logs(String containerVmId, LogRequest request);

  /**
   * Sends one signal to the container's first process. Not idempotent.
   *
   * @param signal such as {@code SIGHUP}
   * @throws dev.berth.portlayer.PortLayerException NOT_FOUND, FAILED_PRECONDITION (it does not
   *     run), INVALID_ARGUMENT
   */
  void signal(String containerVmId, String signal);

  /**
   * Connects to a TCP port on the container's localhost. Not idempotent.
   *
   * @return a session whose stdin goes to the port and whose stdout comes from it; stderr is empty,
   *     and its exit code 0 on a clean end
   * @throws dev.berth.portlayer.PortLayerException NOT_FOUND, FAILED_PRECONDITION, UNAVAILABLE
   *     (connection refused)
   */
  ProcessSession forwardPort(String containerVmId, int port);

  /**
   * What the containerVM uses now. Idempotent.
   *
   * @throws dev.berth.portlayer.PortLayerException NOT_FOUND, FAILED_PRECONDITION (not ready),
   *     UNAVAILABLE
   */
  Statistics statistics(String containerVmId);
}
