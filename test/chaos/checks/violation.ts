/** A guarantee that a history breaks. */
export interface Violation {
  readonly rule: Rule;
  /** A sentence with the mailbox, the event and the location. */
  readonly message: string;
}

/** The guarantees. */
export type Rule =
  /** An event of a mailbox is missing. */
  | 'gap'
  /** An event was delivered twice. */
  | 'duplicate'
  /** Events of a mailbox, or messages of a sender, arrived in a different order. */
  | 'order'
  /** Members received agreed or safe messages in different orders. */
  | 'total order'
  /** A message arrived changed, or at the wrong receiver. */
  | 'content'
  /** A view is missing, does not exist elsewhere, or differs from the view of others. */
  | 'view'
  /** Members that moved together from one view to the next did not receive the same messages in between. */
  | 'virtual synchrony'
  /** A member did not receive its own message. */
  | 'self-delivery'
  /** The result of a send is wrong. */
  | 'send'
  /** A mailbox or a call ended without a reason, or with an unexplained one. */
  | 'end'
  /** An event did not arrive in time, although there was no fault. */
  | 'stuck';
