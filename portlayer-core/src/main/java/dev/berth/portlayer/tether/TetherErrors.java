package dev.berth.portlayer.tether;

import dev.berth.portlayer.PortLayerException;
import dev.berth.portlayer.PortLayerException.Code;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/** Says in the port layer's words how a call to a tether failed. */
final class TetherErrors {
  private TetherErrors() {}

  static PortLayerException of(String id, StatusRuntimeException failure) {
    if (Thread.currentThread().isInterrupted()) {
      return new PortLayerException(
          Code.INTERRUPTED, "Interrupted while calling containerVM " + id, failure);
    }
    return of(id, failure.getStatus(), failure);
  }

  static PortLayerException of(String id, Status status, Throwable cause) {
    Code code = code(status.getCode());
    String text =
        status.getDescription() == null ? status.getCode().toString() : status.getDescription();
    if (code == Code.UNAVAILABLE) {
      return new PortLayerException(
          code, "containerVM %s does not answer: %s".formatted(id, text), cause);
    }
    return new PortLayerException(code, "containerVM %s: %s".formatted(id, text), cause);
  }

  private static Code code(Status.Code code) {
    return switch (code) {
      case INVALID_ARGUMENT, OUT_OF_RANGE -> Code.INVALID_ARGUMENT;
      case NOT_FOUND -> Code.NOT_FOUND;
      case ALREADY_EXISTS -> Code.ALREADY_EXISTS;
      case PERMISSION_DENIED -> Code.PERMISSION_DENIED;
      case UNAUTHENTICATED -> Code.UNAUTHENTICATED;
      case RESOURCE_EXHAUSTED -> Code.RESOURCE_EXHAUSTED;
      case FAILED_PRECONDITION, ABORTED -> Code.FAILED_PRECONDITION;
      case UNIMPLEMENTED -> Code.UNSUPPORTED;
      case DATA_LOSS -> Code.CORRUPT;
      // The deadline of a call is this client's own patience with the guest.
      case UNAVAILABLE, CANCELLED, DEADLINE_EXCEEDED -> Code.UNAVAILABLE;
      case OK, UNKNOWN, INTERNAL -> Code.INTERNAL;
    };
  }
}
