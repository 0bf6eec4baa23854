// The entry point of a role's process. The first argument is the order in JSON.
import { Conversation, say } from './conversation.js';
import type { RoleOrder } from './order.js';

const order = JSON.parse(process.argv[2] ?? '{}') as RoleOrder;
const talk = new Conversation();

async function run(): Promise<void> {
  switch (order.job) {
    case 'send':
      return (await import('./send-jobs.js')).send(order, talk);
    case 'accept':
      return (await import('./send-jobs.js')).accept(order, talk);
    case 'receive':
      return (await import('./receive-jobs.js')).receive(order, talk);
    case 'loop':
      return (await import('./receive-jobs.js')).loop(order, talk);
    case 'hold':
      return (await import('./receive-jobs.js')).hold(order, talk);
    case 'ping':
    case 'call':
      return (await import('./round-trip-jobs.js')).ping(order, talk);
    case 'reflect':
      return (await import('./round-trip-jobs.js')).reflect(order, talk);
    case 'churn':
      return (await import('./round-trip-jobs.js')).churn(order, talk);
    case 'drain':
      return (await import('./drain-job.js')).drain(order, talk);
    case 'serve':
      return (await import('./serve-job.js')).serve(order, talk);
  }
}

const failed = (error: unknown) => {
  say({ say: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exitCode = 1;
  process.disconnect();
};
process.on('uncaughtException', failed);
process.on('unhandledRejection', failed);
await run().catch(failed);
process.exit();
