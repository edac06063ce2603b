@NullMarked
package dev.berth.portlayer.local.qemu;

import org.jspecify.annotations.NullMarked;
