import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { helmCommand } from '../../scripts/helm/commands.mjs';
import { SIDECAR_IMAGE } from './images.js';
import type { KubernetesNode } from './node.js';

const chart = process.env.CLUSTER_CHART || join(process.cwd(), 'deploy', 'helm', 'spread-sidecar');

/** Values of the chart by their paths. */
export type Values = Record<string, string | number | boolean | null>;

/** The command of Helm. */
export function helm(): string {
  const command = helmCommand('4') ?? helmCommand('3');
  if (!command) throw new Error('Helm is missing: set HELM3 or HELM4 to the command');
  return command;
}

/** A release of the chart in its own namespace, which allows only restricted pods. */
export class Release {
  readonly #helm: string;
  #hasNamespace = false;

  constructor(
    readonly node: KubernetesNode,
    readonly name: string,
    private readonly values: Values,
  ) {
    this.#helm = helm();
  }

  get namespace(): string {
    return this.name;
  }

  /** Creates the namespace. `install` creates it if no object must exist before. */
  createNamespace(): void {
    this.#hasNamespace = true;
    this.kubectl('create', 'namespace', this.namespace);
    this.kubectl('label', 'namespace', this.namespace, 'pod-security.kubernetes.io/enforce=restricted');
  }

  install(): void {
    if (!this.#hasNamespace) this.createNamespace();
    this.#run('install', this.name, chart, '--wait', '--timeout', '90s', ...this.#sets());
  }

  upgrade(values: Values): void {
    Object.assign(this.values, values);
    this.#run('upgrade', this.name, chart, ...this.#sets());
  }

  /** Objects of some templates, as `helm template` renders them. */
  template(...files: string[]): string {
    const shown = files.flatMap((file) => ['--show-only', file]);
    return this.#run('template', this.name, chart, ...shown, ...this.#sets());
  }

  test(): string {
    return this.#run('test', this.name, '--logs');
  }

  /** Removes the objects of the release, also after a failed installation. */
  removeObjects(): void {
    this.#run('uninstall', this.name, '--wait', '--ignore-not-found');
  }

  /** Removes the release and the namespace, and waits until the pods have ended. */
  uninstall(): void {
    this.removeObjects();
    this.kubectl('delete', 'namespace', this.namespace, '--timeout', '120s');
  }

  /** Runs a command in a container of a workload. Throws when its exit code is not 0. */
  exec(target: string, container: string, ...command: string[]): string {
    return this.kubectl('exec', target, '-c', container, '--', ...command);
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
