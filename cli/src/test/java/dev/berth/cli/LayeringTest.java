package dev.berth.cli;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import dev.berth.portlayer.architecture.CodingRules;

/** The rules of the code. Only here may a console be talked to. */
@AnalyzeClasses(packages = "dev.berth", importOptions = ImportOption.DoNotIncludeJars.class)
class LayeringTest {
  @ArchTest static final ArchRule NO_SLEEP = CodingRules.NO_SLEEP_IN_TESTS;

  @ArchTest static final ArchRule NULL_MARKED = CodingRules.PACKAGES_ARE_NULL_MARKED;
}
