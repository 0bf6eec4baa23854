import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../support/until.js';
import type { Binaries } from './binaries.js';
import { ClusterCertificates } from './certificates.js';
import { bracketed, type ClusterNetwork, isIpv6 } from './network.js';
import { NodeNetwork } from './node-network.js';

/** The image of the pods' sandboxes. */
export const PAUSE_IMAGE = 'localhost/spread-sidecar-pause:test';

const exec = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** Removes the empty control groups of the kubelet, innermost first. */
function removePodGroups(): void {
  spawnSync('sh', ['-c', 'find /sys/fs/cgroup -depth -type d -path "*/kubepods*" -exec rmdir {} +'], {
    stdio: 'ignore',
  });
}

/** Kubernetes on this machine, with one node. Needs root. stop() removes everything that start() created. */
export class KubernetesNode {
  readonly #folder = mkdtempSync(join(tmpdir(), 'spk-'));
  readonly #processes: { name: string; child: ChildProcess }[] = [];
  readonly #certificates: ClusterCertificates;
  readonly #nodeNetwork: NodeNetwork;
  readonly #hadPodGroups = ['cpu/', ''].some((part) => existsSync(`/sys/fs/cgroup/${part}kubepods`));
  readonly kubeconfig: string;

  private constructor(
    private readonly binaries: Binaries,
    readonly network: ClusterNetwork,
  ) {
    this.#nodeNetwork = new NodeNetwork(network);
    this.#certificates = new ClusterCertificates(this.#folder);
    this.kubeconfig = this.#certificates.kubeconfig('admin', '/O=system:masters/CN=admin', this.#api);
  }

  static async start(binaries: Binaries, network: ClusterNetwork): Promise<KubernetesNode> {
    new NodeNetwork(network).checkFree();
    const node = new KubernetesNode(binaries, network);
    try {
      await node.#start();
      return node;
    } catch (error) {
      await node.stop();
      throw error;
    }
  }

  get logs(): string {
    return this.#folder;
  }

  /** The node's first address. */
  get #address(): string {
    return this.network.node[0]!;
  }

  get #api(): string {
    return `https://${bracketed(this.#address)}:6443`;
  }

  get kubectlPath(): string {
    return join(this.binaries.kubernetes, 'kubectl');
  }

  kubectl(...args: string[]): string {
    return exec(this.kubectlPath, '--kubeconfig', this.kubeconfig, ...args);
  }

  /** Creates or changes objects, given as JSON or YAML. */
  apply(objects: string, namespace = 'default'): void {
    const args = ['--kubeconfig', this.kubeconfig, '--namespace', namespace, 'apply', '--filename', '-'];
    execFileSync(this.kubectlPath, args, { input: objects, stdio: ['pipe', 'ignore', 'pipe'] });
  }

  /** Like `kubectl`, but returns its standard error, which contains warnings of the API server. */
  warnings(...args: string[]): string {
    const { status, stderr } = spawnSync(this.kubectlPath, ['--kubeconfig', this.kubeconfig, ...args], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(stderr);
    return stderr;
  }

  /** Loads an image of the Docker engine into the node. @param as - its name there; default: the same */
  importImage(name: string, as = name): void {
    const archive = join(this.#folder, 'image.tar');
    if (as !== name) exec('docker', 'tag', name, as);
    exec('docker', 'save', '--output', archive, as);
    if (as !== name) exec('docker', 'rmi', as);
    this.#ctr('images', 'import', archive);
    rmSync(archive);
  }

  /**
   * Kills the first process of a container, like the kernel when memory runs out. @param id - as in the status of
   * a pod
   */
  killContainer(id: string): void {
    this.#ctr('tasks', 'kill', '--signal', 'SIGKILL', id.replace('containerd://', ''));
  }

  async stop(): Promise<void> {
    for (const name of ['kubelet', 'kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'coredns'])
      await this.#end(name);
    for (const name of ['kube-apiserver', 'etcd']) await this.#end(name);
    this.#endPods();
    await this.#end('containerd');
    spawnSync(join(this.binaries.kubernetes, 'kube-proxy'), ['--cleanup'], { stdio: 'ignore' });
    this.#nodeNetwork.remove();
    const mounts = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(this.#folder))
      .reverse();
    for (const path of mounts) spawnSync('umount', ['-l', path], { stdio: 'ignore' });
    if (!this.#hadPodGroups) removePodGroups();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    this.#nodeNetwork.create();
    const { kubernetes, coredns } = this.binaries;
    const { dns, pods, services, apiService } = this.network;
    const address = bracketed(this.#address);
    const etcd = `http://${address}:2379`;
    const file = (name: string) => join(this.#folder, name);
    const config = (name: string, value: unknown) => {
      writeFileSync(file(name), typeof value === 'string' ? value : JSON.stringify(value));
      return file(name);
    };
    const certificates = this.#certificates;
    const user = (name: string, subject: string) => certificates.kubeconfig(name, subject, this.#api);

    this.#run('containerd', 'containerd', ['--config', config('containerd.toml', this.#containerdConfig())]);
    mkdirSync(file('cni'));
    config('cni/10-pods.conflist', {
      cniVersion: '1.0.0',
      name: 'pods',
      plugins: [
        {
          type: 'ptp',
          ipam: {
            type: 'host-local',
            ranges: pods.map((subnet) => [{ subnet }]),
            routes: pods.map((subnet) => ({ dst: isIpv6(subnet) ? '::/0' : '0.0.0.0/0' })),
            dataDir: file('ipam'),
          },
        },
      ],
    });
    this.#run('etcd', 'etcd', [
      ...['--data-dir', file('etcd'), '--listen-client-urls', etcd, '--advertise-client-urls', etcd],
      ...['--listen-peer-urls', `http://${address}:2380`, '--unsafe-no-fsync'],
    ]);
    const server = certificates.issue(
      'api-server',
      '/CN=kube-apiserver',
      `IP:${this.#address},IP:${apiService},DNS:kubernetes.default.svc`,
    );
    const toKubelet = certificates.issue('api-client', '/O=system:masters/CN=api-server');
    this.#run('kube-apiserver', join(kubernetes, 'kube-apiserver'), [
      `--etcd-servers=${etcd}`,
      `--bind-address=${this.#address}`,
      `--advertise-address=${this.#address}`,
      `--service-cluster-ip-range=${services.join(',')}`,
      `--client-ca-file=${certificates.path('ca.crt')}`,
      `--tls-cert-file=${server.cert}`,
      `--tls-private-key-file=${server.key}`,
      `--kubelet-client-certificate=${toKubelet.cert}`,
      `--kubelet-client-key=${toKubelet.key}`,
      `--kubelet-certificate-authority=${certificates.path('ca.crt')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${certificates.path('accounts.key')}`,
      `--service-account-signing-key-file=${certificates.path('accounts.key')}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--authorization-mode=Node,RBAC',
      '--feature-gates=MutatingAdmissionPolicy=true',
      '--runtime-config=admissionregistration.k8s.io/v1beta1=true',
    ]);
    await this.#until('the API server', () => this.kubectl('get', '--raw', '/readyz'), 120_000);

    this.#run('kube-controller-manager', join(kubernetes, 'kube-controller-manager'), [
      `--kubeconfig=${user('controllers', '/CN=system:kube-controller-manager')}`,
      `--bind-address=${this.#address}`,
      `--root-ca-file=${certificates.path('ca.crt')}`,
      `--service-account-private-key-file=${certificates.path('accounts.key')}`,
      '--use-service-account-credentials',
      '--leader-elect=false',
    ]);
    this.#run('kube-scheduler', join(kubernetes, 'kube-scheduler'), [
      `--kubeconfig=${user('scheduler', '/CN=system:kube-scheduler')}`,
      `--bind-address=${this.#address}`,
      '--leader-elect=false',
    ]);
    const proxy = {
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      clientConnection: { kubeconfig: user('proxy', '/CN=system:kube-proxy') },
      mode: 'iptables',
      clusterCIDR: pods.join(','),
      hostnameOverride: 'node',
      bindAddress: isIpv6(this.#address) ? '::' : '0.0.0.0',
      healthzBindAddress: `${address}:10256`,
      metricsBindAddress: `${address}:10249`,
      conntrack: { maxPerCore: 0 },
    };
    this.#run('kube-proxy', join(kubernetes, 'kube-proxy'), ['--config', config('proxy.json', proxy)]);
    // The kubeconfig that kubeadm would write, for the names of the cluster.
    const corefile = `cluster.local in-addr.arpa ip6.arpa {
  bind ${dns}
  errors
  health ${bracketed(dns)}:8080
  ready ${bracketed(dns)}:8181
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    kubeconfig ${user('dns', '/O=system:masters/CN=dns')}
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
    ttl 30
  }
  cache 30 {
    disable success cluster.local
    disable denial cluster.local
  }
}
`;
    this.#run('coredns', join(coredns, 'coredns'), ['-conf', config('Corefile', corefile)]);
    this.#startKubelet(user('kubelet', '/O=system:nodes/CN=system:node:node'));
    await this.#until(
      'the node to be ready',
      () => this.kubectl('wait', '--for=condition=Ready', 'node/node', '--timeout=1s'),
      120_000,
    );
  }

  #startKubelet(kubeconfig: string): void {
    const file = (name: string) => join(this.#folder, name);
    const serving = this.#certificates.issue('kubelet-server', '/CN=node', `IP:${this.#address},DNS:node`);
    writeFileSync(file('resolv.conf'), '');
    const config = {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      address: this.#address,
      healthzBindAddress: this.#address,
      tlsCertFile: serving.cert,
      tlsPrivateKeyFile: serving.key,
      authentication: {
        anonymous: { enabled: false },
        x509: { clientCAFile: this.#certificates.path('ca.crt') },
        webhook: { enabled: false },
      },
      authorization: { mode: 'AlwaysAllow' },
      cgroupDriver: 'cgroupfs',
      failCgroupV1: false,
      failSwapOn: false,
      // The kubelet would not remove its chains at its end.
      makeIPTablesUtilChains: false,
      clusterDNS: [this.network.dns],
      clusterDomain: 'cluster.local',
      resolvConf: file('resolv.conf'),
      containerRuntimeEndpoint: `unix://${file('containerd.sock')}`,
      podLogsDir: file('pod-logs'),
      enforceNodeAllocatable: [],
      evictionHard: { 'memory.available': '0%' },
      imageGCHighThresholdPercent: 100,
      imageGCLowThresholdPercent: 99,
      // The default, 1 minute, is the delay until a changed ConfigMap is in the pods.
      syncFrequency: '1m0s',
    };
    writeFileSync(file('kubelet.json'), JSON.stringify(config));
    this.#run('kubelet', join(this.binaries.kubernetes, 'kubelet'), [
      ...['--config', file('kubelet.json'), '--kubeconfig', kubeconfig, '--root-dir', file('kubelet')],
      ...[
        '--hostname-override',
        'node',
        '--node-ip',
        this.network.node.join(','),
        '--cert-dir',
        file('kubelet-certs'),
      ],
    ]);
  }

  #containerdConfig(): string {
    const path = (name: string) => JSON.stringify(join(this.#folder, name));
    return `version = 2
root = ${path('containerd')}
state = ${path('containerd-state')}
[grpc]
  address = ${path('containerd.sock')}
[plugins."io.containerd.grpc.v1.cri"]
  # Some machines let no process protect itself from the OOM killer.
  restrict_oom_score_adj = true
  sandbox_image = "${PAUSE_IMAGE}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = ${path('cni')}
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
`;
  }

  #ctr(...args: string[]): string {
    return exec('ctr', '--address', join(this.#folder, 'containerd.sock'), '--namespace', 'k8s.io', ...args);
  }

  /** Remains of a deleted release whose pods did not end in time. */
  #endPods(): void {
    if (!existsSync(join(this.#folder, 'containerd.sock'))) return;
    const each = (list: readonly string[], act: (id: string) => void) => {
      try {
        for (const id of this.#ctr(...list).split('\n')) if (id) act(id);
      } catch {
        // containerd has already ended.
      }
    };
    each(['tasks', 'list', '--quiet'], (id) => {
      spawnSync('ctr', [
        ...['--address', join(this.#folder, 'containerd.sock'), '--namespace', 'k8s.io'],
        ...['tasks', 'delete', '--force', id],
      ]);
    });
    each(['containers', 'list', '--quiet'], (id) => this.#ctr('containers', 'delete', id));
    this.#nodeNetwork.removePodNamespaces();
  }

  #run(name: string, command: string, args: readonly string[]): void {
    const log = openSync(join(this.#folder, `${name}.log`), 'a');
    const child = spawn(command, args, { cwd: this.#folder, stdio: ['ignore', log, log] });
    this.#processes.push({ name, child });
  }

  async #end(name: string): Promise<void> {
    for (const { child } of this.#processes.filter((one) => one.name === name)) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(timer);
    }
  }

  async #until(what: string, attempt: () => unknown, timeoutMs: number): Promise<void> {
    await until(
      async () => {
        const ended = this.#processes.find(({ child }) => child.exitCode !== null);
        if (ended) throw new Error(`${ended.name} ended: ${this.#tail(ended.name)}`);
        try {
          attempt();
          return true;
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 500));
          return undefined;
        }
      },
      { timeoutMs, what },
    );
  }

  #tail(name: string): string {
    return readFileSync(join(this.#folder, `${name}.log`), 'utf8').slice(-2000);
  }
}
