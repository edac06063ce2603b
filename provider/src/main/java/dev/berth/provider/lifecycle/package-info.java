/** What to do about a pod, as a pure function, and the workers that do it. */
@NullMarked
package dev.berth.provider.lifecycle;

import org.jspecify.annotations.NullMarked;
