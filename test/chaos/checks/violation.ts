/** A promise that a history shows broken. */
export interface Violation {
  readonly rule: Rule;
  /** A sentence that names who, what and where. */
  readonly message: string;
}

/** What is promised. */
export type Rule =
  /** An event of a mailbox is missing. */
  | 'gap'
  /** Something came twice. */
  | 'duplicate'
  /** Events of a mailbox, or messages of a sender, came in another order. */
  | 'order'
  /** Members got agreed or safe messages in different orders. */
  | 'total order'
  /** Something came that was not sent so, or not to this receiver. */
  | 'content'
  /** A view is missing, was invented, or differs from what others got. */
  | 'view'
  /** Members that moved together from one view to the next did not get the same messages in between. */
  | 'virtual synchrony'
  /** A member did not get its own message. */
  | 'self-delivery'
  /** A send did not do what its answer said. */
  | 'send'
  /** A mailbox or a call ended without a reason, or with one that nothing explains. */
  | 'end'
  /** Something did not come in good time although nothing was in its way. */
  | 'stuck';
