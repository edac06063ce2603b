package dev.berth.provider.pod;

import dev.berth.portlayer.PortLayer;
import dev.berth.portlayer.PortLayerException;
import dev.berth.provider.kube.ApiException;
import dev.berth.provider.kube.ObjectReader;
import dev.berth.provider.kube.PodWriter;
import dev.berth.provider.lifecycle.Action;
import dev.berth.provider.lifecycle.Names;
import dev.berth.provider.lifecycle.Outcome;
import dev.berth.provider.lifecycle.PodEvent;
import dev.berth.provider.lifecycle.PodMemory;
import dev.berth.provider.lifecycle.Problem;
import dev.berth.provider.translate.Translator;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Carries actions out. Blocks; an interrupt ends what it does. */
final class ActionExecutor {
  private static final Logger LOG = LoggerFactory.getLogger(ActionExecutor.class);

  private final PortLayer portLayer;
  private final ObjectReader objects;
  private final PodWriter writer;
  private final ImagePuller puller;
  private final ProcessStarter starter;
  private final GroupMaker groups;

  ActionExecutor(
      PortLayer portLayer,
      ObjectReader objects,
      PodWriter writer,
      Translator translator,
      ImagePuller puller,
      ProcessStarter starter) {
    this.portLayer = portLayer;
    this.objects = objects;
    this.writer = writer;
    this.puller = puller;
    this.starter = starter;
    this.groups = new GroupMaker(portLayer, translator);
  }

  /**
   * Does it and says how it went; fails with nothing.
   *
   * @param seenAt of {@link System#nanoTime}: nothing older may be read for the pod
   */
  Outcome run(Action action, Pod pod, PodMemory memory, long seenAt, Consumer<PodEvent> events) {
    try {
      return attempt(action, pod, memory, seenAt, events);
    } catch (PortLayerException failure) {
      if (failure.code() == PortLayerException.Code.INTERRUPTED) {
        return new Outcome.Cancelled();
      }
      return new Outcome.Failed(kind(action), String.valueOf(failure.getMessage()));
    } catch (ApiException failure) {
      return new Outcome.Failed(kind(action), String.valueOf(failure.getMessage()));
    } catch (RuntimeException defect) {
      if (Thread.currentThread().isInterrupted()) {
        return new Outcome.Cancelled();
      }
      LOG.error("{} of pod {} failed", action, pod.getMetadata().getUid(), defect);
      return new Outcome.Failed(kind(action), defect.toString());
    }
  }

  private Outcome attempt(
      Action action, Pod pod, PodMemory memory, long seenAt, Consumer<PodEvent> events) {
    String groupId = Names.group(pod.getMetadata().getUid());
    return switch (action) {
      case Action.PullImage _ -> puller.prepare(pod, objects.notBefore(seenAt), events);
      case Action.CreateGroup create ->
          groups.create(pod, memory.image().orElseThrow(), create.firstAttempt());
      case Action.StartProcess start ->
          starter.start(pod, start.attempt(), objects.notBefore(seenAt), events);
      case Action.RefreshVolumes _ -> starter.refresh(pod, objects.notBefore(seenAt));
      case Action.StopProcess stop -> {
        stop(pod, stop.gracePeriod());
        yield new Outcome.Done();
      }
      case Action.PowerOff _ -> {
        portLayer.compute().powerOff(groupId, Duration.ZERO);
        yield new Outcome.Done();
      }
      case Action.DestroyGroup _ -> {
        starter.forget(pod);
        groups.destroy(pod);
        yield new Outcome.Done();
      }
      case Action.DeleteObject _ -> {
        writer.delete(pod);
        yield new Outcome.Done();
      }
    };
  }

  /** Also called while another stop is under way, to shorten it. */
  void stop(Pod pod, Duration gracePeriod) {
    String container = pod.getSpec().getContainers().getFirst().getName();
    portLayer
        .compute()
        .stopProcess(Names.containerVm(pod.getMetadata().getUid(), container), gracePeriod);
  }

  private static Problem.Kind kind(Action action) {
    return switch (action) {
      case Action.PullImage _ -> Problem.Kind.IMAGE_PULL;
      case Action.CreateGroup _ -> Problem.Kind.SANDBOX;
      case Action.StartProcess _ -> Problem.Kind.RUN;
      case Action.RefreshVolumes _ -> Problem.Kind.REFRESH;
      case Action.StopProcess _, Action.PowerOff _, Action.DestroyGroup _ -> Problem.Kind.STOP;
      case Action.DeleteObject _ -> Problem.Kind.OBJECT;
    };
  }
}
