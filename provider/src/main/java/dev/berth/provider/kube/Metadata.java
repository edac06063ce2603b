package dev.berth.provider.kube;

import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** The metadata in an answer, of which no more is read than is asked for. */
@SuppressWarnings("ArrayRecordComponent") // nobody compares answers
public record Metadata(byte[] json) {
  private static final JsonFactory JSON = new JsonFactory();

  /** The object's resource version; 0 when there is none. */
  public long resourceVersion() {
    try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), json)) {
      return find(parser, "metadata") && find(parser, "resourceVersion")
          ? Long.parseLong(parser.getString())
          : 0;
    }
  }

  /** Goes into the object that comes next, and to the value of that field. */
  private static boolean find(JsonParser parser, String field) {
    if (parser.currentToken() != JsonToken.START_OBJECT
        && parser.nextToken() != JsonToken.START_OBJECT) {
      return false;
    }
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      boolean found = field.equals(parser.currentName());
      parser.nextToken();
      if (found) {
        return true;
      }
      parser.skipChildren();
    }
    return false;
  }
}
