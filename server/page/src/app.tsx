import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Api, RequestRejected, TokenRejected } from './api.js';
import { duration, number } from './format.js';
import { type Live, LiveContext, loadStatus, useLive } from './live.js';
import { Badge } from './parts/small-parts.js';
import { TokenForm } from './parts/token-form.js';
import { RateHistory } from './rate-history.js';
import { Refresher } from './refresher.js';
import { type Route, useRoute, VIEWS, type View } from './route.js';
import type { Status } from './types.js';
import { Configuration } from './views/configuration.js';
import { Events } from './views/events.js';
import { Groups } from './views/groups.js';
import { Mailboxes } from './views/mailboxes.js';
import { Overview } from './views/overview.js';

const TITLES: Readonly<Record<View, string>> = {
  overview: 'Overview',
  mailboxes: 'Mailboxes',
  groups: 'Groups',
  events: 'Events',
  configuration: 'Configuration',
};

/** The result of the last refresh. */
interface Refreshed {
  /** Time of the last refresh that succeeded, by the browser's clock. */
  readonly succeededAt: Date | undefined;
  readonly problem: string | undefined;
}

const isTokenRequired = document.documentElement.dataset.adminToken === 'required';

export function App() {
  const [refreshed, setRefreshed] = useState<Refreshed>({ succeededAt: undefined, problem: undefined });
  const [access, setAccess] = useState<'open' | 'locked' | 'rejected'>(isTokenRequired ? 'locked' : 'open');
  const [isPaused, setPaused] = useState(false);
  const live = useMemo<Live>(() => {
    const refresher = new Refresher({
      onRefreshed: (error) => {
        if (error instanceof TokenRejected) {
          refresher.stop('locked');
          setAccess('rejected');
        } else if (error === undefined) setRefreshed({ succeededAt: new Date(), problem: undefined });
        else setRefreshed((before) => ({ ...before, problem: problemOf(error) }));
      },
    });
    if (isTokenRequired) refresher.stop('locked');
    return { api: new Api(), refresher, history: new RateHistory() };
  }, []);
  useHiddenStop(live.refresher);
  if (access !== 'open')
    return (
      <>
        <header class="top">
          <Brand />
        </header>
        <TokenForm
          isRejected={access === 'rejected'}
          onToken={(token) => {
            live.api.useToken(token);
            live.refresher.resume('locked');
            setAccess('open');
          }}
        />
      </>
    );
  const togglePause = () => {
    if (isPaused) live.refresher.resume('paused');
    else live.refresher.stop('paused');
    setPaused(!isPaused);
  };
  return (
    <LiveContext.Provider value={live}>
      <Page refreshed={refreshed}>
        <span class="refreshed">
          {refreshed.succeededAt ? `Updated ${refreshed.succeededAt.toISOString().slice(11, 19)} UTC` : ''}
        </span>
        <button type="button" aria-pressed={isPaused} onClick={togglePause}>
          {isPaused ? 'Resume refresh' : 'Pause refresh'}
        </button>
      </Page>
    </LiveContext.Provider>
  );
}

function problemOf(error: unknown): string {
  if (error instanceof RequestRejected) return `The sidecar answered ${error.status}: ${error.message}`;
  return 'The sidecar does not answer.';
}

/** Stops the refresh while the tab is hidden. */
function useHiddenStop(refresher: Refresher): void {
  useEffect(() => {
    const onChange = () => {
      if (document.hidden) refresher.stop('hidden');
      else refresher.resume('hidden');
    };
    onChange();
    document.addEventListener('visibilitychange', onChange);
    return () => document.removeEventListener('visibilitychange', onChange);
  }, [refresher]);
}

function Brand() {
  return (
    <h1>
      <img src="/page/icon.svg" alt="" width="26" height="26" /> spread-sidecar
    </h1>
  );
}

interface PageProps {
  readonly refreshed: Refreshed;
  /** The state of the refresh, and its button. */
  readonly children: ComponentChildren;
}

function Page({ refreshed, children }: PageProps) {
  const route = useRoute();
  const { data: status } = useLive(loadStatus);
  useEffect(() => {
    if (status) document.title = `${status.ready ? 'Ready' : 'Not ready'} – spread-sidecar`;
  }, [status?.ready]);
  const { problem, succeededAt } = refreshed;
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('content')!.focus()}>
        Skip to the content
      </button>
      <header class="top">
        <Brand />
        {status && <Summary status={status} />}
        <div class="refresh">{children}</div>
      </header>
      <nav class="views" aria-label="Views">
        {VIEWS.map((view) => (
          <a key={view} href={`#${view}`} aria-current={route.view === view ? 'page' : undefined}>
            {TITLES[view]}
          </a>
        ))}
      </nav>
      <div aria-live="polite">
        {problem && (
          <p class="banner">
            <b>{problem}</b>{' '}
            {succeededAt && `The page shows the state of ${succeededAt.toISOString().slice(11, 19)} UTC. `}
            The page tries again.
          </p>
        )}
      </div>
      <main id="content" tabIndex={-1} class={problem ? 'stale' : ''}>
        {status && <ViewOf route={route} status={status} />}
      </main>
      <Links />
    </>
  );
}

function ViewOf({ route, status }: { route: Route; status: Status }) {
  switch (route.view) {
    case 'overview':
      return <Overview status={status} />;
    case 'mailboxes':
      return <Mailboxes route={route} />;
    case 'groups':
      return <Groups route={route} />;
    case 'events':
      return <Events route={route} />;
    case 'configuration':
      return <Configuration route={route} />;
  }
}

function Summary({ status }: { status: Status }) {
  const { ready, checks, daemon, uptimeMs, mailboxes, version } = status;
  const failed = checks.filter(({ ok }) => !ok).map(({ name }) => name);
  return (
    <dl class="summary">
      <div>
        <dt>Readiness</dt>
        <dd>
          <Badge tone={ready ? 'good' : 'bad'}>{ready ? 'Ready' : 'Not ready'}</Badge>
          {failed.length > 0 && <span class="strong"> {failed.join(', ')}</span>}
        </dd>
      </div>
      <div>
        <dt>Daemon</dt>
        <dd>{daemon.up ? <b class="name">{daemon.address}</b> : <Badge tone="bad">Down</Badge>}</dd>
      </div>
      <div>
        <dt>Mailboxes</dt>
        <dd>{number(mailboxes)}</dd>
      </div>
      <div>
        <dt>Uptime</dt>
        <dd>{duration(uptimeMs)}</dd>
      </div>
      <div>
        <dt>Version</dt>
        <dd>{version}</dd>
      </div>
    </dl>
  );
}

function Links() {
  // A browser sends no token with a link.
  const pages = isTokenRequired
    ? []
    : ['/status.json', '/mailboxes.json', '/groups.json', '/events.json', '/config.json'];
  return (
    <footer>
      <nav aria-label="Other pages of the admin port">
        {[
          '/metrics',
          '/livez?verbose',
          '/readyz?verbose',
          '/startupz?verbose',
          ...pages,
          '/page/licences.txt',
        ].map((path) => (
          <a key={path} href={path}>
            {path.replace('?verbose', '').replace('/page/licences.txt', 'Licences')}
          </a>
        ))}
      </nav>
    </footer>
  );
}
