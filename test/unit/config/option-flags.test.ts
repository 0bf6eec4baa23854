import { Command, Option } from 'commander';
import { describe, expect, it } from 'vitest';
import { flagsFromOptions, loadConfig, optionFlags } from '../../../server/src/config/index.js';
import { optionRows } from '../../../server/src/config/option-rows.js';

function serve(): Command {
  const command = new Command('serve').exitOverride().option('--print-config');
  for (const { flags, negated, description, group, collect } of optionFlags()) {
    const option = new Option(flags, description).helpGroup(group);
    if (collect) option.argParser(collect);
    command.addOption(option);
    if (negated) command.addOption(new Option(negated).hideHelp());
  }
  return command;
}

const parse = (...args: string[]) => flagsFromOptions(serve().parse(args, { from: 'user' }).opts());

describe('the flags, with commander', () => {
  it('no flags set no options', () => expect(parse()).toEqual({}));

  it('flags of the command itself are not options', () => expect(parse('--print-config')).toEqual({}));

  it.each([
    [['--log-level', 'debug'], { 'log-level': 'debug' }],
    [['--config', '/x'], { config: '/x' }],
    [['--daemon-addresses', '1,2', '--daemon-addresses=3'], { 'daemon-addresses': ['1,2', '3'] }],
    [['--embedded-daemon'], { 'embedded-daemon': true }],
    [['--embedded-daemon=false'], { 'embedded-daemon': 'false' }],
    [['--no-grpc-reflection'], { 'grpc-reflection': false }],
    [['--grpc-reflection', '--log-level', 'warn'], { 'grpc-reflection': true, 'log-level': 'warn' }],
    [['--daemon-allow', ''], { 'daemon-allow': [''] }],
  ])('%j', async (args, flags) => {
    expect(parse(...args)).toEqual(flags);
    await expect(loadConfig({ flags: parse(...args) })).resolves.toBeDefined();
  });

  it('help names every option, its default, bounds and variable', () => {
    const help = serve().configureHelp({ helpWidth: 10_000 }).helpInformation();
    for (const row of optionRows) {
      if (row.flag === undefined) continue;
      const line = help.split('\n').find((candidate) => candidate.includes(`--${row.flag} `));
      expect(line).toContain(row.text);
      expect(line).toContain(`Must be ${row.type.expects}.`);
      expect(line).toContain(`Default: ${row.default || 'none'}.`);
      expect(line).toContain(row.environment);
    }
    expect(help).toContain('\nMailboxes:\n');
  });
});
