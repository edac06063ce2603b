/** What to do about a pod, as a pure function. */
@NullMarked
package dev.berth.provider.lifecycle;

import org.jspecify.annotations.NullMarked;
