package org.spreadsidecar.client;

/** How a message is delivered. */
public enum ServiceType {
  /** May be lost, in no order. Spread 5 treats it as RELIABLE. */
  UNRELIABLE(0x01),
  /** Arrives, in no order. */
  RELIABLE(0x02),
  /** Arrives in its sender's order. */
  FIFO(0x04),
  /** Arrives after everything it may depend on. Spread 5 treats it as AGREED. */
  CAUSAL(0x08),
  /** One total order at all receivers. */
  AGREED(0x10),
  /** AGREED, and delivered only once every daemon concerned holds it. */
  SAFE(0x20);

  private final int bits;

  ServiceType(int bits) {
    this.bits = bits;
  }

  /** The bit of Spread's C header, such as 0x20 of SAFE_MESS. */
  public int bits() {
    return bits;
  }

  org.spreadsidecar.v1.ServiceType toProto() {
    return org.spreadsidecar.v1.ServiceType.forNumber(ordinal() + 1);
  }

  /** Null for one that this release does not know, and for none. */
  static ServiceType of(org.spreadsidecar.v1.ServiceType proto) {
    int number = proto == org.spreadsidecar.v1.ServiceType.UNRECOGNIZED ? 0 : proto.getNumber();
    return number == 0 ? null : values()[number - 1];
  }
}
