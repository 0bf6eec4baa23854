import picocolors from 'picocolors';
import { describe, expect, it } from 'vitest';
import { type Place, welcome } from '../../../server/src/cli/welcome.js';

const plain = picocolors.createColors(false);
const place: Place = { grpc: ['127.0.0.1:4813'], daemons: ['4803'], ready: true };

describe('the welcome', () => {
  it('says where it is and what to try', () => {
    const text = welcome('1.2.3', place, plain);
    expect(text).toContain('spread-sidecar 1.2.3 is ready');
    expect(text).toContain('  npx spread-sidecar user\n');
  });

  it('names an address that can be reached from beside it where it listens at all', () => {
    for (const [listening, reached] of [
      ['0.0.0.0:9000', '127.0.0.1:9000'],
      ['[::]:9000', '127.0.0.1:9000'],
      ['10.0.0.0:9000', '10.0.0.0:9000'],
      ['unix:/run/x.sock', 'unix:/run/x.sock'],
    ] as const)
      expect(welcome('1', { ...place, grpc: [listening] }, plain)).toContain(
        `npx spread-sidecar user -t ${reached}\n`,
      );
  });

  it('goes through the engine in a container, and through kubectl in a pod', () => {
    const of = (inKubernetes: boolean) => ({ hostname: '8e4346d71c85', inKubernetes });
    const text = welcome('1', { ...place, grpc: ['0.0.0.0:4813'], container: of(false) }, plain);
    expect(text).toContain('  docker exec -it 8e4346d71c85 spread-sidecar user\n');
    expect(text).not.toContain('npx');
    expect(welcome('1', { ...place, container: of(true) }, plain)).toContain(
      '  kubectl exec -it 8e4346d71c85 -c spread-sidecar -- spread-sidecar user\n',
    );
  });
});
