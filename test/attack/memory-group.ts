import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MIB = 1024 * 1024;

/** A cgroup that bounds the memory of the processes in it, swap included. Needs root on Linux, with cgroups of version 1 or 2. */
export class MemoryGroup {
  readonly #folder: string;

  /** @param mebibytes - most memory of all its processes; the kernel kills one when they need more */
  constructor(mebibytes: number) {
    const [root, limits] = existsSync('/sys/fs/cgroup/cgroup.controllers')
      ? ['/sys/fs/cgroup', { 'memory.max': mebibytes * MIB, 'memory.swap.max': 0 }]
      : ['/sys/fs/cgroup/memory', { 'memory.limit_in_bytes': mebibytes * MIB }];
    this.#folder = join(root, `spread-attack-${process.pid}-${mebibytes}`);
    mkdirSync(this.#folder, { recursive: true });
    for (const [file, value] of Object.entries(limits)) {
      const path = join(this.#folder, file);
      if (existsSync(path)) writeFileSync(path, String(value));
    }
  }

  /** A command that runs another command inside the group from its first instruction on. */
  get launcher(): readonly string[] {
    return ['/bin/sh', '-c', `echo $$ >${join(this.#folder, 'cgroup.procs')} && exec "$@"`, 'sh'];
  }

  /** Most memory that the group ever used, with its share of the page cache. Unit: MiB; NaN where the kernel does not count it. */
  get peakMiB(): number {
    const file = ['memory.peak', 'memory.max_usage_in_bytes']
      .map((name) => join(this.#folder, name))
      .find((path) => existsSync(path));
    return file === undefined ? Number.NaN : Number(readFileSync(file, 'utf8')) / MIB;
  }

  /** Its processes must have ended. */
  remove(): void {
    rmdirSync(this.#folder);
  }
}
