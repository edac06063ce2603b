package dev.berth.portlayer;

import dev.berth.portlayer.compute.ComputeService;
import dev.berth.portlayer.events.EventService;
import dev.berth.portlayer.interaction.InteractionService;
import dev.berth.portlayer.network.NetworkService;
import dev.berth.portlayer.storage.StorageService;

/**
 * A backend: the five services over one Virtual Container Host.
 *
 * <p>Every service is safe for use by many threads; calls block, honour interruption ({@link
 * PortLayerException.Code#INTERRUPTED}) and fail only with {@link PortLayerException}. Closing
 * releases what the process holds (connections, threads) and leaves every containerVM running.
 */
public interface PortLayer extends AutoCloseable {
  StorageService storage();

  NetworkService network();

  ComputeService compute();

  EventService events();

  InteractionService interaction();

  @Override
  void close();
}
