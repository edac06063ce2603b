/**
 * Many blocking streams over one connection: SPDY/3.1 and WebSockets on Netty below, {@link
 * java.io.InputStream} and {@link java.io.OutputStream} for virtual threads above.
 */
@NullMarked
package dev.berth.provider.api.stream;

import org.jspecify.annotations.NullMarked;
