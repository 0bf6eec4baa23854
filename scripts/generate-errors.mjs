// Writes the errors of proto/errors.yaml into the contract, the server, the clients and docs/errors.md. Run by `npm run gen`.
import { writeClients } from './errors/clients.mjs';
import { writePage } from './errors/page.mjs';
import { writeContract, writeServer } from './errors/server.mjs';

writeContract();
writeServer();
writeClients();
writePage();
