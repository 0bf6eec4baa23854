/** How this client receives the events of a mailbox. */
export interface ReceiveOptions {
  /** Start to receive immediately instead of at the first `receive()` or iteration. Default: false. */
  autoReceive?: boolean;
  /**
   * Maximum number of events that wait for the application in this client. Then the stream pauses. Default:
   * 4096.
   */
  maxBufferedEvents?: number;
  /**
   * Approximate maximum size of events that wait in this client. Then the stream pauses. Unit: bytes.
   * Default: 4 MiB.
   */
  maxBufferedBytes?: number;
  /**
   * With EXPLICIT acknowledgement: only `acknowledge()` acknowledges events. If false, the client acknowledges an
   * event when the application asks for the next one. That suits one loop, but not several that receive at the
   * same time. Default: false.
   */
  manualAcknowledgement?: boolean;
  /**
   * With EXPLICIT: maximum number of events that are delivered but not acknowledged. 0: no limit. Default: 0.
   */
  maxOutstandingEvents?: number;
  /**
   * With EXPLICIT: maximum size of events that are delivered but not acknowledged. 0: no limit. Unit: bytes.
   * Default: 0.
   */
  maxOutstandingBytes?: number;
  /**
   * Interval of the sidecar's heartbeats on an idle stream. A stream without any frame for three intervals
   * counts as broken. 100 ms to 1 h; 0 disables heartbeats. Unit: ms. Default: 10,000.
   */
  heartbeatIntervalMs?: number;
  /**
   * Renew the lease while the application neither receives nor calls. If false, the sidecar ends such a
   * mailbox after the lease. Default: true.
   */
  keepAlive?: boolean;
}
