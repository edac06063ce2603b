/** Who calls the kubelet's API, and what the cluster lets them do. */
@NullMarked
package dev.berth.provider.api.auth;

import org.jspecify.annotations.NullMarked;
