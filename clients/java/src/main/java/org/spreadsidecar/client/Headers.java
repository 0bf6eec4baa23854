package org.spreadsidecar.client;

import com.google.protobuf.CodedOutputStream;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.spreadsidecar.v1.MulticastMessage;

/**
 * The reserved names of message headers. Use these names only for the purpose that each constant states.
 *
 * <p>A name has 1 to 64 characters of {@code a-z 0-9 - _ .}, and a value is text. All headers of a message have at most
 * 8,192 bytes: 3 for each header, its name and its value in UTF-8. The sidecar checks these rules.
 */
public final class Headers {
  /** W3C Trace Context: the position of the message in a trace. Reserved for tracing. */
  public static final String TRACEPARENT = "traceparent";

  /** W3C Trace Context: data of tracing systems. Reserved for tracing. */
  public static final String TRACESTATE = "tracestate";

  /** W3C Baggage: data of the application that follows a trace. Reserved for tracing. */
  public static final String BAGGAGE = "baggage";

  /** The media type of the payload, such as {@code application/json}. */
  public static final String CONTENT_TYPE = "content-type";

  /** The group or private group that expects the reply to this message. */
  public static final String REPLY_TO = "reply-to";

  /** The value that a reply repeats, so that the requester finds the request of the reply. */
  public static final String CORRELATION_ID = "correlation-id";

  private static final int TAG_SIZE = CodedOutputStream.computeTagSize(MulticastMessage.HEADERS_FIELD_NUMBER);
  private static final String TEXT = "Unicode text without lone surrogates";

  private Headers() {}

  /** An unmodifiable copy. Null gives an empty map. */
  static Map<String, String> copyOf(Map<String, String> headers) {
    if (headers == null || headers.isEmpty()) return Collections.emptyMap();
    return Collections.unmodifiableMap(new LinkedHashMap<>(headers));
  }

  /** Throws FIELD_INVALID if the contract cannot represent a name or a value. */
  static void check(Map<String, String> headers) {
    headers.forEach(
        (name, value) -> {
          if (!isText(name)) throw Errors.option("headers", "a map whose names are " + TEXT, "the names in headers must be " + TEXT + "; got " + name);
          if (!isText(value)) throw Errors.field("headers[" + quoted(name) + "]", TEXT, value);
        });
  }

  /** The size of the headers as encoded in MulticastMessage, without an allocation. Unit: bytes. */
  static long encodedSize(Map<String, String> headers) {
    if (headers.isEmpty()) return 0;
    long size = 0;
    for (Map.Entry<String, String> header : headers.entrySet()) {
      int entry =
          CodedOutputStream.computeStringSize(1, header.getKey()) + CodedOutputStream.computeStringSize(2, header.getValue());
      size += TAG_SIZE + CodedOutputStream.computeUInt32SizeNoTag(entry) + entry;
    }
    return size;
  }

  /** Approximate memory of headers. Unit: bytes. */
  static long weight(Map<String, String> headers) {
    long weight = 0;
    for (Map.Entry<String, String> header : headers.entrySet())
      weight += 64L + header.getKey().length() + header.getValue().length();
    return weight;
  }

  /** Whether UTF-8 can represent the text. Protobuf would replace a lone surrogate without an error. */
  private static boolean isText(String text) {
    return text != null && text.codePoints().noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
  }

  private static String quoted(String name) {
    return '"' + name.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
