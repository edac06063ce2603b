/**
 * From layers to a disk: reads tar archives, applies layers to each other as overlayfs would show
 * them, and writes the result as one squashfs file.
 */
@NullMarked
package dev.berth.portlayer.image.layer;

import org.jspecify.annotations.NullMarked;
