/** How a mailbox receives on this side. */
export interface ReceiveOptions {
  /** Begin to receive at once, not at the first `receive()` or iteration. Default: false. */
  autoReceive?: boolean;
  /** The stream is paused when so many events wait for the application on this side. Default: 4096. */
  maxBufferedEvents?: number;
  /** The stream is paused when about so many bytes of events wait on this side. Unit: bytes. Default: 4 MiB. */
  maxBufferedBytes?: number;
  /**
   * With EXPLICIT acknowledgement: only `acknowledge()` acknowledges events. If false, the client acknowledges an
   * event when the application asks for the next one. That suits one loop, but not several that receive at the
   * same time. Default: false.
   */
  manualAcknowledgement?: boolean;
  /** With EXPLICIT: most events given and not yet acknowledged; 0: no bound. Default: 0. */
  maxOutstandingEvents?: number;
  /** With EXPLICIT: most bytes of events given and not yet acknowledged; 0: no bound. Unit: bytes. Default: 0. */
  maxOutstandingBytes?: number;
  /**
   * The sidecar gives a sign of life on an idle stream this often; a stream that is silent for three times as
   * long counts as broken. 100 ms to 1 h; 0: none. Unit: ms. Default: 10,000.
   */
  heartbeatIntervalMs?: number;
  /**
   * Keeps the mailbox by itself while the application neither receives nor calls; without, the sidecar ends it
   * after the lease. Default: true.
   */
  keepAlive?: boolean;
}
