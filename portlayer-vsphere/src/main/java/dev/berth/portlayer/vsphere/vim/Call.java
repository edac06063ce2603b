package dev.berth.portlayer.vsphere.vim;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The method that a {@link Request} calls. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface Call {
  /** The method's name on the wire. */
  String value();

  /**
   * Whether calling it twice does what calling it once does, so that it may be repeated when nobody
   * knows whether the first call arrived.
   */
  boolean repeatable() default false;
}
