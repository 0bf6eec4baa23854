/** The error of an impossible request. Its message says what to do. */
export class Refusal extends Error {}
