import { SPREAD_IMAGE } from './images.js';
import { bracketed } from './network.js';
import type { KubernetesNode } from './node.js';
import { Release } from './release.js';

const COMPONENT = 'app.kubernetes.io/component=daemon';

interface PodStatus {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly name: string; readonly restartCount: number }[];
    readonly initContainerStatuses?: readonly {
      readonly name: string;
      readonly restartCount: number;
      readonly lastState: { readonly terminated?: { readonly message?: string } };
    }[];
  };
}

/** A release with a StatefulSet of real daemons, and the durations of its changes. */
export class Daemons {
  readonly release: Release;

  constructor(
    node: KubernetesNode,
    readonly name: string,
    private replicas: number,
  ) {
    this.release = new Release(node, name, {
      'daemon.mode': 'statefulSet',
      'daemon.image': SPREAD_IMAGE,
      'daemon.statefulSet.replicas': replicas,
      'daemon.statefulSet.name': name,
      'daemon.resources': { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '128Mi' } } as never,
    });
  }

  pods(): PodStatus[] {
    const { items } = JSON.parse(this.release.kubectl('get', 'pods', '-l', COMPONENT, '-o', 'json'));
    return items as PodStatus[];
  }

  /** Restarts of the daemons' containers by the kubelet. */
  restarts(): number {
    return this.pods()
      .flatMap((pod) => pod.status.containerStatuses ?? [])
      .reduce((sum, { restartCount }) => sum + restartCount, 0);
  }

  /** The reasons for the last ends of the containers `addresses`, as in `kubectl describe pod`. */
  terminationMessages(): string[] {
    return this.pods()
      .flatMap((pod) => pod.status.initContainerStatuses ?? [])
      .map(({ lastState }) => lastState.terminated?.message ?? '');
  }

  /** Process IDs of the daemons by pod, in the PID namespace of this machine. */
  processId(pod: string): string {
    return this.release
      .kubectl(
        'exec',
        pod,
        '-c',
        'spread',
        '--',
        'sh',
        '-c',
        'cd /proc; for p in [0-9]*; do read -r c <$p/comm; [ "$c" = spread ] && echo $p $(cut -d" " -f22 $p/stat); done; true',
      )
      .trim();
  }

  /** Whether every pod is ready, and the ring of each daemon contains all others. */
  async isComplete(): Promise<boolean> {
    const pods = this.pods();
    if (pods.length !== this.replicas || pods.some((pod) => pod.metadata.deletionTimestamp)) return false;
    const isReady = (pod: PodStatus) =>
      pod.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
    if (!pods.every(isReady)) return false;
    const rings = await Promise.all(pods.map(ringOf));
    return rings.every((daemons) => daemons === this.replicas);
  }

  /** Waits for all pods and for the whole ring. Returns the seconds since `since`. */
  async complete(since: number, timeoutMs = 300_000): Promise<number> {
    while (!(await this.isComplete())) {
      if (Date.now() - since > timeoutMs)
        throw new Error(
          `the ring of ${this.replicas} is not complete after ${timeoutMs / 1000} s:\n${this.release.kubectl('get', 'pods', '-o', 'wide')}`,
        );
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return (Date.now() - since) / 1000;
  }

  install(): void {
    this.release.install();
  }

  scale(replicas: number): void {
    this.replicas = replicas;
    this.release.upgrade({ 'daemon.statefulSet.replicas': replicas });
  }
}

/** Number of daemons in the ring of a pod's daemon. This machine is the node, so it can connect to the pod. */
async function ringOf(pod: PodStatus): Promise<number> {
  try {
    const response = await fetch(`http://${bracketed(pod.status.podIP ?? '')}:4815/status`, {
      signal: AbortSignal.timeout(1000),
    });
    const { daemons = 0, isCurrent } = (await response.json()) as { daemons?: number; isCurrent: boolean };
    return isCurrent ? daemons : 0;
  } catch {
    return 0;
  }
}
