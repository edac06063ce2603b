/** Digests, deadlines and the failures that moving content about has in common. */
@NullMarked
package dev.berth.portlayer.image.content;

import org.jspecify.annotations.NullMarked;
