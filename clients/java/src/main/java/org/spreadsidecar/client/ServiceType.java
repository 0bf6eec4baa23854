package org.spreadsidecar.client;

/** The delivery guarantee of a message. */
public enum ServiceType {
  /** Messages may be lost and have no order. Spread 5 treats it as RELIABLE. */
  UNRELIABLE(0x01),
  /** Reliable delivery without an order. */
  RELIABLE(0x02),
  /** Reliable delivery in the order of each sender. */
  FIFO(0x04),
  /** A message arrives after all messages that it may depend on. Spread 5 treats it as AGREED. */
  CAUSAL(0x08),
  /** One total order for all receivers. */
  AGREED(0x10),
  /** Like AGREED, but the daemon delivers the message only after the daemons of all members have it. */
  SAFE(0x20);

  private final int bits;

  ServiceType(int bits) {
    this.bits = bits;
  }

  /** The bit in Spread's C header, such as 0x20 of SAFE_MESS. */
  public int bits() {
    return bits;
  }

  org.spreadsidecar.v1.ServiceType toProto() {
    return org.spreadsidecar.v1.ServiceType.forNumber(ordinal() + 1);
  }

  /** Null if it is unspecified or this release does not know it. */
  static ServiceType of(org.spreadsidecar.v1.ServiceType proto) {
    int number = proto == org.spreadsidecar.v1.ServiceType.UNRECOGNIZED ? 0 : proto.getNumber();
    return number == 0 ? null : values()[number - 1];
  }
}
