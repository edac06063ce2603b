/** The commands of {@code berth vch}. */
@NullMarked
package dev.berth.cli.vch;

import org.jspecify.annotations.NullMarked;
