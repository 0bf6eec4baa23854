import { clientsOf, KINDS, matches } from '../event-text.js';
import { number } from '../format.js';
import { useLive } from '../live.js';
import { FilterField } from '../parts/data-table.js';
import { EventsTable } from '../parts/events-table.js';
import { Empty } from '../parts/small-parts.js';
import { changeSettings, type Route } from '../route.js';
import type { Events as EventsPage } from '../types.js';

/** The retained events, the newest first. */
export function Events({ route }: { route: Route }) {
  const { data } = useLive(({ api }, signal) => api.get<EventsPage>('/events.json', {}, signal));
  const kind = route.settings.get('kind') ?? '';
  const filter = route.settings.get('filter') ?? '';
  const all = data?.events ?? [];
  const clients = clientsOf(all);
  const shown = all
    .filter((event) => kind === '' || event.kind === kind)
    .filter((event) => matches(event, filter, clients.get(event.mailbox ?? '')))
    .reverse();
  return (
    <section aria-labelledby="events-title">
      <div class="tools">
        <h2 id="events-title">Events</h2>
        <FilterField route={route} label="Event contains (same case)" />
        <label class="field">
          <span>Kind</span>
          <select
            value={kind}
            onChange={(event) => changeSettings(route, { kind: event.currentTarget.value })}
          >
            <option value="">all kinds</option>
            {Object.entries(KINDS).map(([name, { text }]) => (
              <option key={name} value={name}>
                {text}
              </option>
            ))}
          </select>
        </label>
        {data && (
          <span class="range">
            {number(shown.length)} of {number(all.length)} retained events
          </span>
        )}
      </div>
      {data && shown.length === 0 && <Empty>No event matches.</Empty>}
      {shown.length > 0 && <EventsTable caption="Events" events={shown} all={all} />}
    </section>
  );
}
