import { number } from '../format.js';
import { useLive } from '../live.js';
import { type Column, DataTable, FilterField } from '../parts/data-table.js';
import { Empty } from '../parts/small-parts.js';
import { changeSettings, type Route } from '../route.js';
import type { Config, ConfigOption } from '../types.js';

const COLUMNS: readonly Column<ConfigOption>[] = [
  { title: 'Option', cell: ({ key }) => <b class="name">{key}</b> },
  {
    title: 'Value',
    cell: ({ value, effective }) => {
      const text = typeof value === 'string' ? value : value.join(', ');
      return (
        <>
          {text === '' ? <span class="muted">empty</span> : <span class="name">{text}</span>}
          {effective !== undefined && <span class="muted"> = {number(effective)}</span>}
        </>
      );
    },
  },
  {
    title: 'Source',
    cell: ({ source, from }) =>
      source === 'default' ? <span class="muted">default</span> : <span class="name">{from}</span>,
  },
];

/** The options of the sidecar, with their sources. */
export function Configuration({ route }: { route: Route }) {
  const { data } = useLive(({ api }, signal) => api.get<Config>('/config.json', {}, signal));
  const filter = route.settings.get('filter') ?? '';
  const isChangedOnly = route.settings.get('only') === 'changed';
  const all = data?.options ?? [];
  const shown = all
    .filter(({ source }) => !isChangedOnly || source !== 'default')
    .filter(({ key, value, from }) => [key, String(value), from].some((text) => text.includes(filter)));
  return (
    <section aria-labelledby="configuration-title">
      <div class="tools">
        <h2 id="configuration-title">Configuration</h2>
        <FilterField route={route} label="Option contains (same case)" />
        <label class="check">
          <input
            type="checkbox"
            checked={isChangedOnly}
            onChange={(event) =>
              changeSettings(route, { only: event.currentTarget.checked ? 'changed' : '' })
            }
          />
          <span>Without defaults</span>
        </label>
        {data && (
          <span class="range">
            {number(shown.length)} of {number(all.length)} options
          </span>
        )}
      </div>
      {data && shown.length === 0 && <Empty>No option matches.</Empty>}
      {shown.length > 0 && (
        <DataTable caption="Configuration" columns={COLUMNS} rows={shown} keyOf={({ key }) => key} />
      )}
    </section>
  );
}
