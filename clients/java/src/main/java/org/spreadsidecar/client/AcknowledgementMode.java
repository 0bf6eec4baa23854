package org.spreadsidecar.client;

import org.spreadsidecar.v1.Acknowledgement;

/** When the sidecar may discard an event. */
public enum AcknowledgementMode {
  /** As soon as the sidecar has delivered the event to a Receive stream. The default. */
  AUTO,
  /** After the event is acknowledged. */
  EXPLICIT;

  static AcknowledgementMode of(Acknowledgement mode) {
    return mode == Acknowledgement.ACKNOWLEDGEMENT_EXPLICIT ? EXPLICIT : AUTO;
  }
}
