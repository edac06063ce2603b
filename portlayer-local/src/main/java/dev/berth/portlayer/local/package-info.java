/** The port layer on QEMU: one Linux machine as the host of containerVMs. */
@NullMarked
package dev.berth.portlayer.local;

import org.jspecify.annotations.NullMarked;
