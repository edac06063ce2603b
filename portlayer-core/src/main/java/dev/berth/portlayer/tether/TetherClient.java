package dev.berth.portlayer.tether;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import dev.berth.portlayer.compute.FilesVolume;
import dev.berth.portlayer.compute.ProcessSpec;
import dev.berth.portlayer.interaction.ExecSpec;
import dev.berth.portlayer.interaction.ProcessSession;
import dev.berth.portlayer.interaction.Statistics;
import dev.berth.tether.v1.DescribeRequest;
import dev.berth.tether.v1.Phase;
import dev.berth.tether.v1.ShutdownRequest;
import dev.berth.tether.v1.SignalRequest;
import dev.berth.tether.v1.StartRequest;
import dev.berth.tether.v1.State;
import dev.berth.tether.v1.StatsRequest;
import dev.berth.tether.v1.StopRequest;
import dev.berth.tether.v1.TetherGrpc;
import dev.berth.tether.v1.WriteVolumeRequest;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * The calls to one containerVM's tether. Its session is opened by the first call, shared by all,
 * dropped when idle, and opened again when it broke; a call in flight then fails with UNAVAILABLE.
 * Calls block and are safe for use by many threads.
 */
public final class TetherClient implements AutoCloseable {
  private static final Duration CALL = Duration.ofSeconds(15);

  /** Unpacking arguments and mounting under an emulator that shares its processor with others. */
  private static final Duration START = Duration.ofSeconds(60);

  /** Bytes a second through a serial port under emulation, while others use the processor. */
  private static final int SLOWEST = 8 * 1024;

  private final String id;
  private final ManagedChannel port;
  private final Optional<NetworkChannel> network;

  /**
   * @param port to the control port, which is always there
   * @param network the way that is preferred to it, where there is one
   */
  TetherClient(String id, ManagedChannel port, Optional<NetworkChannel> network) {
    this.id = id;
    this.port = port;
    this.network = network;
  }

  /** What the containerVM is doing now. Idempotent. */
  public State describe() {
    return call(CALL, TetherClient::describe);
  }

  /** Replaces the files of one in-memory volume. Idempotent. */
  public void writeVolume(FilesVolume volume) {
    WriteVolumeRequest request = TetherMessages.volume(volume);
    Duration transfer = Duration.ofSeconds(request.getSerializedSize() / SLOWEST);
    call(CALL.plus(transfer), tether -> tether.writeVolume(request));
  }

  /**
   * Starts the process. Idempotent by attempt.
   *
   * @param serialOfDisk gives the serial number under which a disk is attached, from the disk's id
   */
  public State start(int attempt, ProcessSpec process, UnaryOperator<String> serialOfDisk) {
    StartRequest request =
        StartRequest.newBuilder()
            .setAttempt(attempt)
            .setProcess(TetherMessages.process(process, serialOfDisk))
            .build();
    return call(
        START,
        tether ->
            tether.start(
                request.toBuilder().setClock(TetherMessages.timestamp(Instant.now())).build()));
  }

  /** Stops the process and returns its end. Idempotent. */
  public State stop(Duration gracePeriod) {
    StopRequest request =
        StopRequest.newBuilder().setGracePeriod(TetherMessages.duration(gracePeriod)).build();
    return call(gracePeriod.plus(CALL), tether -> tether.stop(request));
  }

  /** Sends one signal to the first process. */
  public void signal(String signal) {
    SignalRequest request = SignalRequest.newBuilder().setSignal(signal).build();
    call(CALL, tether -> tether.signal(request));
  }

  /** What the containerVM uses now. Idempotent. */
  public Statistics statistics() {
    return TetherMessages.statistics(
        call(CALL, tether -> tether.stats(StatsRequest.getDefaultInstance())));
  }

  /** Stops the process, unmounts the disks and powers off. Returns when the guest has begun to. */
  public void shutdown(Duration gracePeriod) {
    ShutdownRequest request =
        ShutdownRequest.newBuilder().setGracePeriod(TetherMessages.duration(gracePeriod)).build();
    call(gracePeriod.plus(CALL), tether -> tether.shutdown(request));
  }

  /** Begins another process in the container. */
  public ProcessSession exec(ExecSpec spec) {
    return GrpcSession.open(
        requireRunning(), TetherGrpc.getExecMethod(), new ExecProtocol(spec), id);
  }

  /** Joins the first process, from now on. */
  public ProcessSession attach(boolean stdin) {
    return GrpcSession.open(
        requireRunning(), TetherGrpc.getAttachMethod(), new AttachProtocol(stdin), id);
  }

  /** Connects to a port on the container's localhost; returns when the connection stands. */
  public ProcessSession forwardPort(int port) {
    GrpcSession<?, ?> session =
        GrpcSession.open(
            requireRunning(), TetherGrpc.getPortForwardMethod(), new PortForwardProtocol(port), id);
    session.awaitBegun(CALL);
    return session;
  }

  /** Ends the session at once; calls fail with UNAVAILABLE from then on. Idempotent. */
  @Override
  public void close() {
    network.ifPresent(NetworkChannel::close);
    port.shutdownNow();
  }

  private ManagedChannel channel() {
    return network.flatMap(NetworkChannel::open).orElse(port);
  }

  /** Gives a channel whose session stands, so that a stream opened next fails fast. */
  private ManagedChannel requireRunning() {
    ManagedChannel channel = channel();
    if (call(channel, CALL, TetherClient::describe).getPhase() != Phase.RUNNING) {
      throw new PortLayerException(
          Code.FAILED_PRECONDITION, "containerVM %s: its process does not run".formatted(id));
    }
    return channel;
  }

  private static State describe(TetherGrpc.TetherBlockingStub tether) {
    return tether.describe(DescribeRequest.getDefaultInstance());
  }

  private <T> T call(Duration deadline, Function<TetherGrpc.TetherBlockingStub, T> call) {
    return call(channel(), deadline, call);
  }

  private <T> T call(
      Channel channel, Duration deadline, Function<TetherGrpc.TetherBlockingStub, T> call) {
    try {
      return call.apply(
          TetherGrpc.newBlockingStub(channel)
              .withWaitForReady()
              .withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS));
    } catch (StatusRuntimeException e) {
      throw TetherErrors.of(id, e);
    }
  }
}
