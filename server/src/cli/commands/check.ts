import { Command } from 'commander';
import { Session } from '../../spread/session.js';
import { type CheckResult, checkAddresses, checkDaemons, checkSecurity } from '../checks/checks.js';
import { addConfigOptions, loadServeConfig } from '../connection/serve-config.js';
import type { CommandContext, Done } from '../context.js';
import { ExitCode } from '../exit-codes.js';
import { helpSections } from '../help.js';
import { count } from '../terminal/output.js';

export function checkCommand(context: CommandContext, done: Done): Command {
  const command = new Command('check')
    .summary('check the configuration, the ports and the daemon before serving')
    .description(
      `Checks the requirements of serve: a valid configuration, usable certificates and tokens, free addresses, and a Spread daemon that responds. Accepts the same flags, environment variables and configuration file as serve. In the container of a running sidecar, the addresses of that sidecar count as free. Does not start the sidecar.\n\n${helpSections()}`,
    );
  return addConfigOptions(command).action(async (options: Record<string, unknown>) => {
    done(await check(context, options));
  });
}

async function check(context: CommandContext, options: Record<string, unknown>): Promise<number> {
  // Its error reports all mistakes of the configuration.
  const { config, sources } = await loadServeConfig(context, options);
  const set = Object.values(sources).filter((source) => source.kind !== 'default').length;
  const { stdout, signal } = context;
  const results: CheckResult[] = [
    { what: 'configuration', problem: undefined, text: `valid; ${count(set, 'option')} set`, exitCode: 0 },
  ];
  results.push(...(await checkSecurity(config)));
  results.push(...(await checkAddresses(config)));
  results.push(...(await checkDaemons(config, signal, (connect) => Session.connect(connect))));
  signal.throwIfAborted();
  for (const { what, problem, text } of results) {
    const mark =
      problem === undefined
        ? stdout.colors.green('ok  ')
        : stdout.colors.red(problem === 'failed' ? 'FAIL' : 'warn');
    await stdout.line(`${mark} ${what}: ${text}`);
  }
  const failed = results.filter(({ problem }) => problem === 'failed').map(({ exitCode }) => exitCode);
  const worst = [ExitCode.usage, ExitCode.unreachable].find((code) => failed.includes(code));
  return worst ?? failed[0] ?? ExitCode.ok;
}
