/** {@code berth vch}: Virtual Container Hosts on vCenter. */
@NullMarked
package dev.berth.cli.vch;

import org.jspecify.annotations.NullMarked;
