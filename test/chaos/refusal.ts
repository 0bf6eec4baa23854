/** What was asked for can't be done; the message says what to do. */
export class Refusal extends Error {}
