/** One ordered, resumable stream of what happened. */
@NullMarked
package dev.berth.portlayer.events;

import org.jspecify.annotations.NullMarked;
