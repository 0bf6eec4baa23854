import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const sources = join(process.cwd(), 'test', 'kubernetes');
const PROGRAMS = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-proxy',
  'kube-scheduler',
  'kubectl',
  'kubelet',
];

/** Folders with the binaries that `npm run cluster` builds. */
export interface Binaries {
  readonly kubernetes: string;
  readonly coredns: string;
  readonly pause: string;
}

/** The version that a module file requires. */
function required(folder: string, module: string): string {
  const text = readFileSync(join(sources, folder, 'go.mod'), 'utf8');
  const version = new RegExp(`^\\s*(?:require )?${module} v(\\S+)(?: // indirect)?$`, 'm').exec(text)?.[1];
  if (!version) throw new Error(`${folder}/go.mod requires no ${module}`);
  return version;
}

/**
 * Builds Kubernetes and CoreDNS unless the cache has these versions. The first run takes about 20 minutes on 2
 * cores.
 */
export function ensureBinaries(print: (line: string) => void): Binaries {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'spread-sidecar', 'cluster');
  const kubernetesVersion = required('binaries', 'k8s.io/kubernetes');
  const kubernetes = join(cache, `kubernetes-${kubernetesVersion}`);
  const coredns = join(cache, `coredns-${required('coredns', 'github.com/coredns/coredns')}`);
  const pause = join(cache, 'pause');

  const build = (folder: string, output: string, packages: readonly string[], version = '') => {
    mkdirSync(output, { recursive: true });
    const args = ['build', '-p', '2', '-trimpath', '-ldflags', `-s -w ${version}`, '-o', `${output}/`];
    execFileSync('go', [...args, ...packages], {
      cwd: join(sources, folder),
      env: { ...process.env, CGO_ENABLED: '0' },
      stdio: ['ignore', 2, 2],
    });
  };
  const [major, minor] = kubernetesVersion.split('.');
  const stamp = Object.entries({ gitVersion: `v${kubernetesVersion}`, gitMajor: major, gitMinor: minor })
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
  for (const program of PROGRAMS) {
    if (existsSync(join(kubernetes, program))) continue;
    print(`building ${program} ${kubernetesVersion} …`);
    build('binaries', kubernetes, [`k8s.io/kubernetes/cmd/${program}`], stamp);
  }
  if (!existsSync(join(coredns, 'coredns'))) {
    print('building CoreDNS …');
    build('coredns', coredns, ['.']);
  }
  if (!existsSync(join(pause, 'pause'))) build('pause', pause, ['.']);
  return { kubernetes, coredns, pause };
}
