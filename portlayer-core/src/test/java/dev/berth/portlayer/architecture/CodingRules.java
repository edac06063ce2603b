package dev.berth.portlayer.architecture;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.NullMarked;

/** Rules for every module; {@code ArchTests.in(CodingRules.class)} takes all of them. */
public final class CodingRules {
  /** Everything is logged through SLF4J; only commands talk to a console. */
  @ArchTest
  public static final ArchRule NO_CONSOLE_OR_JDK_LOGGING =
      noClasses()
          .that()
          .resideOutsideOfPackage("dev.berth.cli..")
          .and()
          .haveSimpleNameNotEndingWith("Main")
          .should()
          .accessField(System.class, "out")
          .orShould()
          .accessField(System.class, "err")
          .orShould()
          .dependOnClassesThat()
          .resideInAPackage("java.util.logging..")
          .because("output belongs to the log, and the log to SLF4J");

  /** Tests wait for conditions, with a deadline. */
  @ArchTest
  public static final ArchRule NO_SLEEP_IN_TESTS =
      noClasses()
          .that(areTests())
          .should()
          .callMethod(Thread.class, "sleep", long.class)
          .orShould()
          .callMethod(Thread.class, "sleep", Duration.class)
          .orShould()
          .callMethod(TimeUnit.class, "sleep", long.class)
          .because("a sleep is too short on a slow machine and too long on a fast one");

  /** Every package says that nothing in it is null unless it says so. */
  @ArchTest
  public static final ArchRule PACKAGES_ARE_NULL_MARKED =
      classes()
          .that()
          .resideOutsideOfPackage("dev.berth.tether..")
          .should(
              new ArchCondition<JavaClass>("be in a @NullMarked package") {
                @Override
                public void check(JavaClass item, ConditionEvents events) {
                  boolean marked =
                      item.getPackage().isAnnotatedWith(NullMarked.class)
                          || item.isAnnotatedWith(NullMarked.class);
                  events.add(
                      new SimpleConditionEvent(
                          item, marked, item.getName() + " is in a package without @NullMarked"));
                }
              })
          .because("NullAway checks only what is marked");

  private CodingRules() {}

  /** What is in and below {@code part} depends on nothing in any of {@code packages}. */
  public static ArchRule knowsNone(String part, String because, String... packages) {
    return noClasses()
        .that()
        .resideInAPackage(part + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(packages)
        .because(because);
  }

  private static DescribedPredicate<JavaClass> areTests() {
    return DescribedPredicate.describe(
        "are tests",
        javaClass ->
            javaClass
                .getSource()
                .map(source -> source.getUri().toString().contains("/test-classes/"))
                .orElse(false));
  }
}
