/** What the provider reads and writes at the API server, as a node may. */
@NullMarked
package dev.berth.provider.kube;

import org.jspecify.annotations.NullMarked;
