/** A registry, archives and images to test against. */
@NullMarked
package dev.berth.portlayer.image.testing;

import org.jspecify.annotations.NullMarked;
