/** The boot artifact, the accelerator and QEMU's command line. */
@NullMarked
package dev.berth.portlayer.local.qemu;

import org.jspecify.annotations.NullMarked;
