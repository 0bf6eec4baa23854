import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { type Place, welcome } from '../../../server/src/cli/welcome.js';

const plain = picocolors.createColors(false);
const place: Place = { grpc: ['127.0.0.1:4813'], daemons: ['4803', '4803@b'], ready: true };
const next = { program: 'npx spread-sidecar', options: '', notes: [] };

describe('the welcome', () => {
  it('prints the address and example commands', () => {
    const text = welcome('1.2.3', place, next, plain);
    expect(text).toContain('spread-sidecar 1.2.3 is ready');
    expect(text).toContain('  npx spread-sidecar user\n');
    expect(text).not.toContain('--embedded-daemon');
  });

  it('prints the program name as invoked, the options that its commands need, and placeholders', () => {
    const steps = {
      program: 'spread-sidecar',
      options: ' -t unix:/s --token-file T',
      notes: ['T is a file.'],
    };
    const text = welcome('1', place, steps, plain);
    expect(text).toContain('  spread-sidecar user -t unix:/s --token-file T\n');
    expect(text).toContain('  spread-sidecar send cats -m hello -t unix:/s --token-file T\nT is a file.');
  });

  it('prints for which daemon the sidecar waits, why, and how to run the embedded one', () => {
    const waiting = { ...place, ready: false, daemonProblem: 'connect ECONNREFUSED' };
    const text = welcome('1', waiting, next, plain);
    expect(text).toContain('is started and waiting for the Spread daemon at 4803, then 4803@b\n');
    expect(text).toContain('daemon  4803, then 4803@b (no response yet: connect ECONNREFUSED)\n');
    expect(text).toContain('  npx spread-sidecar serve --embedded-daemon\n');
    expect(text).toContain('When the daemon responds, run this');
    const inside = { ...next, program: 'docker exec -it 8e4346d71c85 spread-sidecar' };
    expect(welcome('1', waiting, inside, plain)).toContain('  spread-sidecar serve --embedded-daemon\n');
  });
});
