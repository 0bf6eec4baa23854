import type { IncomingMessage } from 'node:http';
import { type Answer, TEXT } from './answer.js';
import { type PageAccess, refusal } from './page-access.js';

/** Who may end the sidecar over HTTP, and how it ends. */
export interface QuitPage extends PageAccess {
  /** Begins to drain. May be called more than once. */
  quit(): void;
}

/** Drains and ends the sidecar at a POST; the name and the habits are those of Envoy and Istio. */
export function quitAnswer(page: QuitPage, request: IncomingMessage): Answer {
  return refusal(page, request) ?? { status: 200, type: TEXT, body: 'ok\n', afterwards: () => page.quit() };
}
