/** ContainerVMs as QEMU processes that outlive the control plane. */
@NullMarked
package dev.berth.portlayer.local.compute;

import org.jspecify.annotations.NullMarked;
