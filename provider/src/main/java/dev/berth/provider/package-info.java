/** The Kubernetes personality: one virtual node whose pods are groups of containerVMs. */
@NullMarked
package dev.berth.provider;

import org.jspecify.annotations.NullMarked;
