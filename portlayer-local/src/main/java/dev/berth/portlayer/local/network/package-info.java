/** Bridges, taps, addresses and the packet filter between pods and host. */
@NullMarked
package dev.berth.portlayer.local.network;

import org.jspecify.annotations.NullMarked;
