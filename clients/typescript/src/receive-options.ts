/** How this client receives the events of a mailbox. */
export interface ReceiveOptions {
  /**
   * Whether to start to receive immediately, instead of at the first `receive()` or iteration. Default:
   * false.
   */
  autoReceive?: boolean;
  /**
   * Maximum number of events that this client buffers for the application. When the buffer is full, the
   * stream pauses. Default: 4096.
   */
  maxBufferedEvents?: number;
  /**
   * Approximate maximum size of events that this client buffers. When the buffer is full, the stream pauses.
   * Unit: bytes. Default: 4 MiB.
   */
  maxBufferedBytes?: number;
  /**
   * With EXPLICIT acknowledgement: only `acknowledge()` acknowledges events. If false, the client
   * acknowledges an event when the application asks for the next event. This suits one receiving loop, but
   * not several loops at the same time. Default: false.
   */
  manualAcknowledgement?: boolean;
  /**
   * With EXPLICIT: maximum number of events that are delivered but not acknowledged. 0 means no limit.
   * Default: 0.
   */
  maxOutstandingEvents?: number;
  /**
   * With EXPLICIT: maximum size of events that are delivered but not acknowledged. 0 means no limit. Unit:
   * bytes. Default: 0.
   */
  maxOutstandingBytes?: number;
  /**
   * Interval of the sidecar's heartbeats on an idle stream. If no frame arrives for three intervals, the
   * client treats the stream as broken. 100 ms to 1 h; 0 disables heartbeats. Unit: ms. Default: 10,000.
   */
  heartbeatIntervalMs?: number;
  /**
   * Whether the client renews the lease while the application neither receives events nor makes calls. If
   * false, the sidecar ends the unused mailbox after the lease. Default: true.
   */
  keepAlive?: boolean;
}
