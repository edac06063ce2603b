package dev.berth.portlayer.local.qemu;

/** What runs the guest's instructions. */
public enum Accelerator {
  /** The host's processor, through the kernel. */
  KVM,
  /** QEMU's translator: works everywhere, several times slower. */
  TCG
}
