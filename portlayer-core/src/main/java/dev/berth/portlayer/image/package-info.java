/**
 * Image pulling and image disks, for every backend: {@link dev.berth.portlayer.image.ImageStore} is
 * the way in, everything in the packages below serves it.
 */
@NullMarked
package dev.berth.portlayer.image;

import org.jspecify.annotations.NullMarked;
