/** Groups of containerVMs and the processes in them. */
@NullMarked
package dev.berth.portlayer.compute;

import org.jspecify.annotations.NullMarked;
