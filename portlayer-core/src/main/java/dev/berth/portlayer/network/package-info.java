/** Named container networks and the endpoints on them. */
@NullMarked
package dev.berth.portlayer.network;

import org.jspecify.annotations.NullMarked;
