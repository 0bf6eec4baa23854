// Where Helm is. Both releases that are in use are wanted, because they differ in small things: HELM3 and HELM4 name them, else
// `helm3`, `helm4` or `helm` on PATH are what they say they are.
import { spawnSync } from 'node:child_process';

function majorOf(command) {
  const { stdout } = spawnSync(command, ['version', '--template', '{{ .Version }}'], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return /^v(\d+)/.exec(stdout ?? '')?.[1];
}

/** The command of Helm 3 or 4, undefined where there is none. */
export function helmCommand(major, env = process.env) {
  const named = env[`HELM${major}`];
  const candidates = named ? [named] : [`helm${major}`, 'helm'];
  return candidates.find((command) => majorOf(command) === String(major));
}

/** Whether both releases are there. */
export const hasHelm = (env = process.env) => ['3', '4'].every((major) => helmCommand(major, env));
