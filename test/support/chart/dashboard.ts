import { readFileSync } from 'node:fs';
import { DASHBOARD_FILE } from './prometheus-rules.js';

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: { readonly uid: string };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly Target[];
  readonly panels?: readonly Panel[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly definition?: string;
}

export interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly Panel[];
}

/** A query of a panel, an annotation or a variable, with its location. */
export interface DashboardQuery {
  readonly of: string;
  readonly expr: string;
}

export const dashboard = JSON.parse(readFileSync(DASHBOARD_FILE, 'utf8')) as Dashboard;
export const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
export const charts = panels.filter(({ type }) => type !== 'row');

/** Replaces the variables that Grafana replaces before it queries. */
export const withIntervals = (expr: string, rateInterval = '5m', range = '1h') =>
  expr.replaceAll('$__rate_interval', rateInterval).replaceAll('$__range', range);

export const chartQueries: readonly DashboardQuery[] = charts.flatMap(({ title, targets = [] }) =>
  targets.map(({ refId, expr }) => ({ of: `${title}, ${refId}`, expr })),
);
