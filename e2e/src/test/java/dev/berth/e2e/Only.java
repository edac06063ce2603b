package dev.berth.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/** Tests that say something of one backend, and are skipped on another with the reason. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(Only.Condition.class)
@interface Only {
  Backend on();

  String because();

  /** Looks at the backend of this run. */
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      return AnnotationSupport.findAnnotation(context.getElement(), Only.class)
          .filter(only -> only.on() != Backend.CHOSEN)
          .map(
              only ->
                  ConditionEvaluationResult.disabled(
                      "only on the backend %s: %s".formatted(only.on().option(), only.because())))
          .orElseGet(() -> ConditionEvaluationResult.enabled("on this backend"));
    }
  }
}
