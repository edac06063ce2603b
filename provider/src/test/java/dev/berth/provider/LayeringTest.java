package dev.berth.provider;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.junit.ArchTests;
import com.tngtech.archunit.lang.ArchRule;
import dev.berth.portlayer.architecture.CodingRules;
import org.jspecify.annotations.NullMarked;

/** What the provider may know of the world around it. */
@NullMarked
@AnalyzeClasses(packages = "dev.berth", importOptions = ImportOption.DoNotIncludeJars.class)
class LayeringTest {
  @ArchTest
  static final ArchRule KNOWS_NO_BACKEND =
      CodingRules.knowsNone(
          "dev.berth.provider",
          "it stands on the port layer alone, whichever backend is below",
          "dev.berth.portlayer.local..",
          "dev.berth.portlayer.vsphere..",
          "dev.berth.cli..",
          "dev.berth.tether..");

  @ArchTest static final ArchTests CODING_RULES = ArchTests.in(CodingRules.class);
}
