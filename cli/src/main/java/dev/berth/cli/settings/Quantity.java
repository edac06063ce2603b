package dev.berth.cli.settings;

import java.math.BigDecimal;
import java.util.Map;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Amounts as Kubernetes writes them: {@code 500m}, {@code 4}, {@code 2Gi}, {@code 1.5G}. */
final class Quantity {
  private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)(m|[kMGT]|[KMGT]i)?");
  private static final Map<String, BigDecimal> UNITS =
      Map.of(
          "m", new BigDecimal("0.001"),
          "k", BigDecimal.valueOf(1_000L),
          "M", BigDecimal.valueOf(1_000_000L),
          "G", BigDecimal.valueOf(1_000_000_000L),
          "T", BigDecimal.valueOf(1_000_000_000_000L),
          "Ki", BigDecimal.valueOf(1L << 10),
          "Mi", BigDecimal.valueOf(1L << 20),
          "Gi", BigDecimal.valueOf(1L << 30),
          "Ti", BigDecimal.valueOf(1L << 40));

  private Quantity() {}

  /** In thousandths; empty when it is not an amount above zero. */
  static OptionalLong millis(String text) {
    return parse(text, BigDecimal.valueOf(1_000L));
  }

  /** In whole units, such as bytes; empty when it is not an amount above zero. */
  static OptionalLong units(String text) {
    return parse(text, BigDecimal.ONE);
  }

  private static OptionalLong parse(String text, BigDecimal scale) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      return OptionalLong.empty();
    }
    String unit = matcher.group(2);
    BigDecimal factor = unit == null ? BigDecimal.ONE : UNITS.getOrDefault(unit, BigDecimal.ONE);
    BigDecimal value = new BigDecimal(matcher.group(1)).multiply(factor).multiply(scale);
    return value.signum() > 0 && value.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) < 0
        ? OptionalLong.of(Math.max(1, value.longValue()))
        : OptionalLong.empty();
  }
}
