package dev.berth.provider.api;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Admits, routes, counts and answers requests, whatever goes wrong in them. */
final class RequestDispatcher {
  private static final Logger log = LoggerFactory.getLogger(RequestDispatcher.class);
  private static final String TEXT = "text/plain; charset=utf-8";

  /** The names under which requests are counted; everything else is "other". */
  private static final List<String> ROOTS =
      List.of(
          "attach",
          "configz",
          "containerLogs",
          "exec",
          "healthz",
          "metrics",
          "pods",
          "portForward",
          "runningpods",
          "stats");

  private final Gatekeeper gatekeeper;
  private final Routes routes;
  private final MeterRegistry meters;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition idle = lock.newCondition();
  private int running;

  RequestDispatcher(Gatekeeper gatekeeper, Routes routes, MeterRegistry meters) {
    this.gatekeeper = gatekeeper;
    this.routes = routes;
    this.meters = meters;
    meters.gauge("berth.kubelet.requests.running", this, RequestDispatcher::running);
  }

  void dispatch(Exchange exchange) {
    count(1);
    Timer.Sample sample = Timer.start(meters);
    try {
      serve(exchange);
    } finally {
      String root = exchange.request().segments().stream().findFirst().orElse("");
      sample.stop(
          meters.timer(
              "berth.kubelet.requests",
              "path",
              ROOTS.contains(root) ? root : "other",
              "code",
              Integer.toString(exchange.status())));
      count(-1);
    }
  }

  private void serve(Exchange exchange) {
    try {
      gatekeeper.admit(exchange);
      routes.dispatch(exchange);
    } catch (ApiException e) {
      refuse(exchange, e.status(), String.valueOf(e.getMessage()));
    } catch (PodLookupException e) {
      refuse(exchange, e.status(), String.valueOf(e.getMessage()));
    } catch (IOException e) {
      log.debug("{} {} broke off", exchange.request().method(), exchange.request().path(), e);
      exchange.abort();
    } catch (RuntimeException e) {
      log.warn("{} {} failed", exchange.request().method(), exchange.request().path(), e);
      refuse(exchange, 500, "Internal error occurred: " + e.getMessage());
    }
  }

  private static void refuse(Exchange exchange, int status, String message) {
    if (exchange.isAnswered()) {
      exchange.abort();
      return;
    }
    try {
      exchange.respond(status, TEXT, message);
    } catch (IOException e) {
      log.debug("Nobody takes the refusal", e);
    }
  }

  private void count(int change) {
    lock.lock();
    try {
      running += change;
      if (running == 0) {
        idle.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  int running() {
    lock.lock();
    try {
      return running;
    } finally {
      lock.unlock();
    }
  }

  /** Waits until no request runs; false when some still do after the timeout. */
  boolean drain(Duration timeout) {
    lock.lock();
    try {
      long left = timeout.toNanos();
      while (running > 0) {
        if (left <= 0) {
          return false;
        }
        left = idle.awaitNanos(left);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } finally {
      lock.unlock();
    }
  }
}
