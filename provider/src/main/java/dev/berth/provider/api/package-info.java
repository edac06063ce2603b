/**
 * The kubelet's HTTPS API: logs, exec, attach and port forwarding, as kube-apiserver calls them,
 * and what a node's operator reads.
 */
@NullMarked
package dev.berth.provider.api;

import org.jspecify.annotations.NullMarked;
