import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { helmCommand } from '../../scripts/helm/commands.mjs';
import { SIDECAR_IMAGE } from './images.js';
import type { KubernetesNode } from './node.js';

const chart = process.env.CLUSTER_CHART || join(process.cwd(), 'deploy', 'helm', 'spread-sidecar');

/** A release of the chart in a namespace of its own, in which only restricted pods may run. */
export class Release {
  readonly #helm: string;

  constructor(
    readonly node: KubernetesNode,
    readonly name: string,
    private readonly values: Record<string, string | number | boolean>,
  ) {
    const command = helmCommand('4') ?? helmCommand('3');
    if (!command) throw new Error('Helm is missing: set HELM3 or HELM4 to the command');
    this.#helm = command;
  }

  get namespace(): string {
    return this.name;
  }

  install(): void {
    this.kubectl('create', 'namespace', this.namespace);
    this.kubectl('label', 'namespace', this.namespace, 'pod-security.kubernetes.io/enforce=restricted');
    this.#run('install', this.name, chart, '--wait', '--timeout', '90s', ...this.#sets());
  }

  upgrade(values: Record<string, string | number | boolean>): void {
    Object.assign(this.values, values);
    this.#run('upgrade', this.name, chart, ...this.#sets());
  }

  test(): string {
    return this.#run('test', this.name, '--logs');
  }

  /** Removes all of it, and waits for its pods to end. */
  uninstall(): void {
    this.#run('uninstall', this.name, '--wait');
    this.kubectl('delete', 'namespace', this.namespace, '--timeout', '120s');
  }

  kubectl(...args: string[]): string {
    return this.node.kubectl('--namespace', this.namespace, ...args);
  }

  #run(...args: string[]): string {
    return execFileSync(
      this.#helm,
      [...args, '--namespace', this.namespace, '--kubeconfig', this.node.kubeconfig],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
  }

  #sets(): string[] {
    const [repository, tag] = SIDECAR_IMAGE.split(':');
    const all = { 'image.repository': repository, 'image.tag': tag, ...this.values };
    return Object.entries(all).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]);
  }
}
