package dev.berth.provider.api.auth;

import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReviewBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * As the kubelet with webhook authorization: asks by SubjectAccessReview, keeps a yes for five
 * minutes and a no for thirty seconds.
 */
public final class ClusterAuthorizer implements Authorizer {
  private static final Duration ALLOWED_LIFETIME = Duration.ofMinutes(5);
  private static final Duration DENIED_LIFETIME = Duration.ofSeconds(30);
  private static final int CACHE_CAPACITY = 4096;

  private record Question(Caller caller, String verb, String subresource) {}

  private final KubernetesClient client;
  private final String nodeName;
  private final ExpiringCache<Question, Boolean> answers;

  public ClusterAuthorizer(KubernetesClient client, String nodeName) {
    this(client, nodeName, System::nanoTime);
  }

  ClusterAuthorizer(KubernetesClient client, String nodeName, LongSupplier nanoseconds) {
    this.client = client;
    this.nodeName = nodeName;
    this.answers = new ExpiringCache<>(CACHE_CAPACITY, nanoseconds);
  }

  @Override
  public boolean allows(Caller caller, String verb, String subresource) {
    var question = new Question(caller, verb, subresource);
    Optional<Boolean> known = answers.get(question);
    if (known.isPresent()) {
      return known.get();
    }
    boolean allowed = ask(question);
    answers.put(question, allowed, allowed ? ALLOWED_LIFETIME : DENIED_LIFETIME);
    return allowed;
  }

  private boolean ask(Question question) {
    Caller caller = question.caller;
    SubjectAccessReview answer =
        client
            .authorization()
            .v1()
            .subjectAccessReview()
            .create(
                new SubjectAccessReviewBuilder()
                    .withNewSpec()
                    .withUser(caller.name())
                    .withUid(caller.uid().orElse(null))
                    .withGroups(caller.groups())
                    .withExtra(caller.extra())
                    .withNewResourceAttributes()
                    .withVerb(question.verb)
                    .withVersion("v1")
                    .withResource("nodes")
                    .withSubresource(question.subresource)
                    .withName(nodeName)
                    .endResourceAttributes()
                    .endSpec()
                    .build());
    return answer.getStatus() != null && Boolean.TRUE.equals(answer.getStatus().getAllowed());
  }
}
