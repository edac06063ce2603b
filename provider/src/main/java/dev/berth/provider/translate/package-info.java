/** From a pod's specification to the port layer's, and the refusal of what cannot be had yet. */
@NullMarked
package dev.berth.provider.translate;

import org.jspecify.annotations.NullMarked;
