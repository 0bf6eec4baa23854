import { useEffect, useState } from 'preact/hooks';

export const VIEWS = ['overview', 'mailboxes', 'groups', 'events', 'configuration'] as const;
export type View = (typeof VIEWS)[number];

/** The view and its settings, as in the part of the address after `#`. */
export interface Route {
  readonly view: View;
  readonly settings: URLSearchParams;
}

function parseRoute(hash: string): Route {
  const [name = '', query = ''] = hash.replace(/^#/, '').split('?', 2);
  const view = VIEWS.find((one) => one === name) ?? 'overview';
  return { view, settings: new URLSearchParams(query) };
}

export function routeHash(view: View, settings: URLSearchParams): string {
  return settings.size === 0 ? `#${view}` : `#${view}?${settings}`;
}

/** The route of the address. */
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const onChange = () => setHash(location.hash);
    addEventListener('hashchange', onChange);
    return () => removeEventListener('hashchange', onChange);
  }, []);
  return parseRoute(hash);
}

/** Changes settings of the view. The value '' removes one. The browser's history gets no entry. */
export function changeSettings({ view, settings }: Route, changes: Readonly<Record<string, string>>): void {
  const changed = new URLSearchParams(settings);
  for (const [name, value] of Object.entries(changes))
    if (value === '') changed.delete(name);
    else changed.set(name, value);
  history.replaceState(null, '', routeHash(view, changed));
  dispatchEvent(new HashChangeEvent('hashchange'));
}
