/** The benchmark that {@code ./bench} runs. */
@NullMarked
package dev.berth.e2e.bench;

import org.jspecify.annotations.NullMarked;
