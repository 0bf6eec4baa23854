package org.spreadsidecar.client;

import org.spreadsidecar.v1.Acknowledgement;

/** When the sidecar may release an event. */
public enum AcknowledgementMode {
  /** After the sidecar has delivered the event to a Receive stream. This is the default. */
  AUTO,
  /** After the client has acknowledged the event. */
  EXPLICIT;

  static AcknowledgementMode of(Acknowledgement mode) {
    return mode == Acknowledgement.ACKNOWLEDGEMENT_EXPLICIT ? EXPLICIT : AUTO;
  }
}
