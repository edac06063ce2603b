package dev.berth.portlayer.vsphere.vim;

import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.SerializationContext;
import tools.jackson.databind.jsontype.TypeSerializer;
import tools.jackson.databind.ser.std.StdSerializer;

/** Writes an object of unknown type as it came, with the type's name that it came with. */
final class GenericObjectSerializer extends StdSerializer<GenericObject> {
  GenericObjectSerializer() {
    super(GenericObject.class);
  }

  @Override
  public void serialize(
      GenericObject value, JsonGenerator generator, SerializationContext context) {
    generator.writeTree(value.json());
  }

  @Override
  public void serializeWithType(
      GenericObject value,
      JsonGenerator generator,
      SerializationContext context,
      TypeSerializer types) {
    serialize(value, generator, context);
  }
}
