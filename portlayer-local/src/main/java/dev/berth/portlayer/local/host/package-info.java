/**
 * What the services need of the host: commands, files written atomically, processes, control
 * groups.
 */
@NullMarked
package dev.berth.portlayer.local.host;

import org.jspecify.annotations.NullMarked;
