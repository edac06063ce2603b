/** Tests of the port layer on QEMU. */
@NullMarked
package dev.berth.portlayer.local;

import org.jspecify.annotations.NullMarked;
