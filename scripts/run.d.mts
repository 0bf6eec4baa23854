import type { SpawnSyncOptions } from 'node:child_process';
export declare function run(
  command: string,
  args: readonly string[],
  options?: SpawnSyncOptions & { readonly quiet?: boolean },
): void;
