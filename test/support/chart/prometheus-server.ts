import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { freePort } from '../sidecars/sidecar-process.js';
import { temporaryFolder } from '../tmp.js';
import { until } from '../until.js';
import type { RuleFile } from './prometheus-rules.js';

/** A scrape target of Prometheus: a job with one sidecar, with the labels of Kubernetes. */
export interface ScrapedPod {
  readonly pod: string;
  /** host:port of the admin port. */
  readonly admin: string;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>> & { readonly alertname: string };
  readonly state: 'pending' | 'firing';
}

/** A Prometheus server that scrapes every second. It stops at the end of the running test. */
export class PrometheusServer {
  readonly #folder = temporaryFolder();
  readonly #url: string;
  readonly #child: ChildProcess;
  #log = '';

  private constructor(
    pods: readonly ScrapedPod[],
    private readonly rules: RuleFile,
    port: number,
  ) {
    this.#url = `http://127.0.0.1:${port}`;
    this.#configure(pods);
    this.#child = spawn(
      'prometheus',
      [
        `--config.file=${join(this.#folder, 'prometheus.yaml')}`,
        `--storage.tsdb.path=${join(this.#folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--web.enable-lifecycle',
        // Time that it shows the last samples of a removed job. Default: 5m.
        '--query.lookback-delta=5s',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#child.stderr?.on('data', (text) => {
      this.#log += text;
    });
  }

  static async start(
    pods: readonly ScrapedPod[],
    rules: RuleFile = { groups: [] },
  ): Promise<PrometheusServer> {
    const server = new PrometheusServer(pods, rules, await freePort());
    const exited = new Promise((resolve) => server.#child.once('close', resolve));
    onTestFinished(async () => {
      server.#child.kill('SIGKILL');
      await exited;
    });
    await until(
      async () => {
        if (server.#child.exitCode !== null) throw new Error(`Prometheus ended: ${server.#log}`);
        return (await fetch(`${server.#url}/-/ready`).catch(() => undefined))?.ok;
      },
      { timeoutMs: 20_000, what: 'Prometheus to be ready' },
    );
    return server;
  }

  /** Replaces the scraped pods. */
  async scrape(pods: readonly ScrapedPod[]): Promise<void> {
    this.#configure(pods);
    const { ok, status } = await fetch(`${this.#url}/-/reload`, { method: 'POST' });
    if (!ok) throw new Error(`reload: ${status}: ${this.#log}`);
  }

  /** The current samples of an expression, without NaN. */
  async query(expr: string): Promise<Sample[]> {
    const { result } = await this.#get<{ result: { metric: Sample['metric']; value: [number, string] }[] }>(
      `query?${new URLSearchParams({ query: expr })}`,
    );
    return result
      .map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }))
      .filter(({ value }) => !Number.isNaN(value));
  }

  async alerts(): Promise<readonly ActiveAlert[]> {
    return (await this.#get<{ alerts: ActiveAlert[] }>('alerts')).alerts;
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.#url}/api/v1/${path}`);
    const body = (await response.json()) as { status: string; data: T };
    if (body.status !== 'success') throw new Error(`${path}: ${JSON.stringify(body)}`);
    return body.data;
  }

  #configure(pods: readonly ScrapedPod[]): void {
    writeFileSync(join(this.#folder, 'rules.yaml'), stringify(this.rules));
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: [join(this.#folder, 'rules.yaml')],
      scrape_configs: pods.map(({ pod, admin }) => ({
        job_name: pod,
        static_configs: [{ targets: [admin], labels: { namespace: 'apps', pod } }],
      })),
    };
    writeFileSync(join(this.#folder, 'prometheus.yaml'), stringify(config));
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

const dividedBy = (duration: string, divisor: number) =>
  `${Math.round((Number.parseInt(duration, 10) * UNITS[duration.slice(-1)]! * 1000) / divisor)}ms`;

/** The same rules with shorter windows and waits. */
export function acceleratedRules({ groups }: RuleFile, divisor: number): RuleFile {
  return {
    groups: groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => ({
        ...rule,
        expr: rule.expr.replace(/\[(\d+[smh])\]/g, (_, window) => `[${dividedBy(window, divisor)}]`),
        ...(rule.for === undefined ? {} : { for: dividedBy(rule.for, divisor) }),
      })),
    })),
  };
}
