package dev.berth.portlayer.vsphere.client;

import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.ByteBuffer;
import java.util.concurrent.Flow;

/** Hears how far an upload is. */
@FunctionalInterface
public interface Progress {
  /**
   * @param sent bytes so far; less than before when the upload began again
   */
  void sent(long sent, long total);

  /** The same body, told of as it is sent. */
  static BodyPublisher of(BodyPublisher body, Progress progress) {
    long total = body.contentLength();
    Flow.Publisher<ByteBuffer> counted =
        subscriber -> body.subscribe(new Counter(subscriber, progress, total));
    return total == 0 ? body : BodyPublishers.fromPublisher(counted, total);
  }

  /** Counts what passes. */
  final class Counter implements Flow.Subscriber<ByteBuffer> {
    private final Flow.Subscriber<? super ByteBuffer> next;
    private final Progress progress;
    private final long total;
    private long sent;

    private Counter(Flow.Subscriber<? super ByteBuffer> next, Progress progress, long total) {
      this.next = next;
      this.progress = progress;
      this.total = total;
    }

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      next.onSubscribe(subscription);
    }

    @Override
    public void onNext(ByteBuffer bytes) {
      sent += bytes.remaining();
      progress.sent(sent, total);
      next.onNext(bytes);
    }

    @Override
    public void onError(Throwable failure) {
      next.onError(failure);
    }

    @Override
    public void onComplete() {
      next.onComplete();
    }
  }
}
