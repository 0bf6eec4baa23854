import { beforeAll, describe } from 'vitest';
import { type Client, clients } from '../../scripts/clients/index.mjs';
import { examplesRun } from './examples.js';

const typescript = clients.find(({ language }) => language === 'typescript') as Required<Client>;

describe('the TypeScript client', () => {
  beforeAll(() => typescript.prepare(), 60_000);
  examplesRun(typescript);
});
