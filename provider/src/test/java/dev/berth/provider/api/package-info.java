@NullMarked
package dev.berth.provider.api;

import org.jspecify.annotations.NullMarked;
