package dev.berth.portlayer.memory;

/** The calls of the port layer that a test can count, fail or hold. */
public enum Operation {
  PULL_IMAGE,
  CREATE_DISK,
  DELETE_DISK,
  CREATE_ENDPOINT,
  DELETE_ENDPOINT,
  CREATE_GROUP,
  POWER_ON,
  POWER_OFF,
  DESTROY,
  WRITE_VOLUME,
  START_PROCESS,
  STOP_PROCESS,
  EXEC,
  ATTACH,
  LOGS,
  SIGNAL,
  FORWARD_PORT,
  STATISTICS
}
