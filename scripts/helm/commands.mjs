// Finds Helm 3 and Helm 4, which differ slightly. HELM3 and HELM4 name them. Otherwise it checks the versions
// of `helm3`, `helm4` and `helm` on PATH.
import { spawnSync } from 'node:child_process';

function majorOf(command) {
  const { stdout } = spawnSync(command, ['version', '--template', '{{ .Version }}'], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  return /^v(\d+)/.exec(stdout ?? '')?.[1];
}

/**
 * The command of Helm 3 or 4, undefined where there is none.
 *
 * @param {'3' | '4'} major
 */
export function helmCommand(major, env = process.env) {
  const named = env[`HELM${major}`];
  const candidates = named ? [named] : [`helm${major}`, 'helm'];
  return candidates.find((command) => majorOf(command) === String(major));
}

/**
 * The major versions of Helm that are installed.
 *
 * @returns {('3' | '4')[]}
 */
export const helmMajors = (env = process.env) => ['3', '4'].filter((major) => helmCommand(major, env));
