/** Exec, attach, logs, port forwarding and statistics, through the tether. */
@NullMarked
package dev.berth.portlayer.interaction;

import org.jspecify.annotations.NullMarked;
