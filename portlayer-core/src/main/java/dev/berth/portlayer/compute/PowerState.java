package dev.berth.portlayer.compute;

/** Whether the VM runs. */
public enum PowerState {
  OFF,
  ON
}
