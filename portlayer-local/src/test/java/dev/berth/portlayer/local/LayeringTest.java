package dev.berth.portlayer.local;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.junit.ArchTests;
import com.tngtech.archunit.lang.ArchRule;
import dev.berth.portlayer.architecture.CodingRules;

/** What the local backend may know of the world around it. */
@AnalyzeClasses(packages = "dev.berth", importOptions = ImportOption.DoNotIncludeJars.class)
class LayeringTest {
  @ArchTest
  static final ArchRule KNOWS_NO_PERSONALITY =
      CodingRules.knowsNone(
          "dev.berth.portlayer.local",
          "any personality must be able to stand on it",
          "dev.berth.provider..",
          "dev.berth.cli..",
          "dev.berth.portlayer.vsphere..",
          "io.fabric8..");

  @ArchTest static final ArchTests CODING_RULES = ArchTests.in(CodingRules.class);
}
