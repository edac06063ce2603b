/** A port layer wholly in memory, for tests and benchmarks of personalities. */
@NullMarked
package dev.berth.portlayer.memory;

import org.jspecify.annotations.NullMarked;
