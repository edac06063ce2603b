/**
 * The control plane's end of the control channel to a tether: link handshake, mutual TLS, gRPC.
 * Knows no backend: whoever uses it names a Unix domain socket.
 */
@NullMarked
package dev.berth.portlayer.tether;

import org.jspecify.annotations.NullMarked;
