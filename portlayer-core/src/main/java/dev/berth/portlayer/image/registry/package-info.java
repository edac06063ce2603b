/** A client of the OCI distribution API and of Docker's registry API. */
@NullMarked
package dev.berth.portlayer.image.registry;

import org.jspecify.annotations.NullMarked;
