/** Kubernetes events, told without ever holding up a pod. */
@NullMarked
package dev.berth.provider.events;

import org.jspecify.annotations.NullMarked;
