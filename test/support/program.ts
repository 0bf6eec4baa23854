// `node --import tsx test/support/program.ts FILE …`: calls `main(args, print)` of a TypeScript file. The
// result is the exit code.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [file = ''] = process.argv.splice(2, 1);
const { main } = await import(pathToFileURL(resolve(file)).href);
process.exitCode = await main(process.argv.slice(2), (line: string) => process.stdout.write(`${line}\n`));
