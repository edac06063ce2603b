/** The workers that carry pods' lives out. */
@NullMarked
package dev.berth.provider.pod;

import org.jspecify.annotations.NullMarked;
