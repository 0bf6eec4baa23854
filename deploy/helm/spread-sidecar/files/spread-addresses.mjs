// Writes spread.conf for a daemon in a pod, and again when another daemon's pod has a new address. Spread reads the file at its
// start and rejects packets from addresses that the file does not contain. A running daemon reads the file again when it gets a
// reload packet from its own address; its clients stay connected. A daemon that does not follow is restarted by its supervisor
// (spread-supervisor.sh), which watches the file `restart`.
//
// node spread-addresses.mjs TEMPLATE FOLDER NAME PORT: {host} in TEMPLATE stands for the address of that host. FOLDER gets the
// files. NAME is the daemon of this pod, and POD_IPS in the environment has its addresses, the one of the probes first. PORT
// serves /written, /status and /changed.
import { createSocket } from 'node:dgram';
import { lookup, reverse } from 'node:dns/promises';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { connect, createServer as createTcpServer, isIPv4 } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const [template, folder, ownName, port] = process.argv.slice(2);
const podAddresses = (process.env.POD_IPS || '').split(',').filter(Boolean);
const ownAddress = podAddresses.find(isIPv4);
const CONF = join(folder, 'spread.conf');
const FORMER = join(folder, 'former.json');
const RESTART = join(folder, 'restart');

const INTERVAL_MS = Number(process.env.INTERVAL_MS || 500);
/** A daemon that answers with none of its configurations cannot reload: an older release, for example. */
const SILENT_MS = Number(process.env.SILENT_MS || 10_000);
/** A daemon reloads only while its ring is stable. Forming a ring takes it up to some 15 s. */
const RELOAD_MS = Number(process.env.RELOAD_MS || 30_000);

const ANNOUNCE_MS = 60_000;

const text = readFileSync(template, 'utf8');
/** A daemon in the template: its name and the host that has its address. */
const HOST = /\{([a-z0-9.-]+)\}/g;
const hosts = [...new Set([...text.matchAll(HOST)].map(([, host]) => host))];
const ownHost = hosts.find((host) => host === ownName || host.startsWith(`${ownName}.`));

const log = (line) => process.stdout.write(`${line}\n`);

if (podAddresses.length > 0 && !ownAddress) {
  log(
    `the pod has no IPv4 address, only ${podAddresses.join(', ')}, and Spread 5.0.1 has no IPv6: run the daemons on a cluster with IPv4 or dual-stack pods, or set daemon.mode to container, or to external with daemons that are reachable over IPv4`,
  );
  process.exit(1);
}

// --- Addresses

/** By host: an address that its pod has announced, and the one that DNS gave then. DNS may be cached for 30 s. */
const announced = new Map();

async function addressOf(host) {
  if (host === ownHost && ownAddress) return ownAddress;
  const { address } = await lookup(host, { family: 4 });
  const news = announced.get(host);
  if (news && (news.before === undefined || news.before === address)) {
    news.before = address;
    return news.address;
  }
  announced.delete(host);
  return address;
}

/** The file with all addresses; undefined as long as a pod has none. */
async function complete() {
  try {
    const found = await Promise.all(hosts.map(addressOf));
    return text.replace(HOST, (_, host) => found[hosts.indexOf(host)]);
  } catch {
    return undefined;
  }
}

/** The name of the caller's address in DNS proves which pod called. Nothing else of the call is believed. */
async function learn(address) {
  const names = await reverse(address).catch(() => []);
  const host = hosts.find((one) => names.some((name) => name.startsWith(`${one}.`)));
  if (!host || host === ownHost || announced.get(host)?.address === address) return host !== undefined;
  announced.set(host, { address });
  return true;
}

/** When this pod got its address; the other pods that know it already, by address. */
let arrivedAt = 0;
const told = new Set();

/** Tells the other pods that this one has a new address. Those that do not confirm are told again for a minute. */
async function announce(addresses) {
  if (Date.now() - arrivedAt > ANNOUNCE_MS) return;
  const tell = (address) =>
    new Promise((resolve) => {
      const request = get({ host: address, port, path: '/changed', timeout: 1000 }, (response) => {
        response.resume();
        if (response.statusCode === 200) told.add(address);
        resolve();
      });
      request.on('timeout', () => request.destroy());
      request.on('error', resolve);
    });
  await Promise.all(addresses.filter((address) => !told.has(address)).map(tell));
}

// --- The daemon

/** Bob Jenkins' one-at-a-time hash, begun with the length. Spread's ids of daemons and configurations are such. */
function oneAtATime(string) {
  const bytes = Buffer.from(`${string}\0`);
  let hash = bytes.length;
  for (const byte of bytes) {
    hash = (hash + ((byte << 24) >> 24)) >>> 0;
    hash = (hash + (hash << 10)) >>> 0;
    hash = (hash ^ (hash >>> 6)) >>> 0;
  }
  hash = (hash + (hash << 3)) >>> 0;
  hash = (hash ^ (hash >>> 11)) >>> 0;
  return (hash + (hash << 15)) >>> 0;
}

const SEGMENT = /^Spread_Segment\s+([\d.]+):(\d+)\s*\{\s*(\S+)\s+([\d.]+)\s*\}/gm;

/** What a daemon may take for the hash of a file: two options of Spread, AcceleratedRing and ExcludeSegAddrsFromHash, decide. */
function hashesOf(conf) {
  const segments = [...conf.matchAll(SEGMENT)];
  const variants = ['Original', 'Accelerated'].flatMap((ring) => [
    [ring, true],
    [ring, false],
  ]);
  return variants.map(([ring, hasSegmentAddress]) => {
    const parts = segments.map(
      ([, segment, number, name, address]) =>
        `Segment: port = ${number};${hasSegmentAddress ? ` [${segment}]` : ''}\n\t'${name}' [${address}] [${oneAtATime(name)}]\n\n`,
    );
    return oneAtATime(`${parts.join('')}Version: 5\nProtocol: ${ring} Ring\n`);
  });
}

const STATUS = 0x01000000;
const RELOAD = 0x08000000;
const LITTLE_ENDIAN = 0x80000080;

/** A control packet from the daemon to itself, as Spread's own monitor sends them. */
function control(type, hash, replyPort = 0) {
  const packet = Buffer.alloc(40);
  packet.writeUInt32LE((type | LITTLE_ENDIAN) >>> 0, 0);
  packet.writeUInt32LE(oneAtATime(ownName), 4);
  packet.writeUInt32LE(oneAtATime(ownName), 8);
  packet.writeUInt32LE(replyPort, 20);
  packet.writeUInt32LE(hash, 28);
  return packet;
}

const socket = ownAddress ? createSocket('udp4') : undefined;
let onReply = () => {};
socket?.on('message', (packet) => onReply(packet));
socket?.on('error', () => {});
if (socket) await new Promise((resolve) => socket.bind(0, ownAddress, resolve));

const daemonPort = Number(/^Spread_Segment\s+[\d.]+:(\d+)/m.exec(text)?.[1]);
const send = (packet) => socket.send(packet, daemonPort, ownAddress, () => {});

/** The daemon's status, when it has read a file with one of these hashes. It ignores requests with other hashes. */
function statusWith(hashes) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), 200);
    onReply = (packet) => {
      if (packet.length < 40 + 96) return;
      clearTimeout(timer);
      resolve({ daemons: packet.readInt16LE(40 + 74), changes: packet.readInt16LE(40 + 72) });
    };
    for (const hash of hashes) send(control(STATUS, hash, socket.address().port));
  });
}

// --- Readiness of the daemon. The kubelet connects to the first address of the pod. Where that is IPv6, this process listens
// there on the daemon's port, for as long as the daemon accepts connections.

const probeAddress = podAddresses[0] !== ownAddress ? podAddresses[0] : undefined;
const probed = createTcpServer((connection) => connection.destroy());
probed.on('error', (error) => log(`cannot listen on [${probeAddress}]:${daemonPort}: ${error.message}`));

const acceptsClients = () =>
  new Promise((resolve) => {
    const attempt = connect(daemonPort, ownAddress);
    const end = (isAccepted) => {
      attempt.destroy();
      resolve(isAccepted);
    };
    attempt.setTimeout(1000, () => end(false));
    attempt.once('connect', () => end(true));
    attempt.on('error', () => end(false));
  });

async function showReadiness() {
  if (!probeAddress) return;
  const isAccepting = await acceptsClients();
  if (isAccepting && !probed.listening) probed.listen(daemonPort, probeAddress);
  if (!isAccepting && probed.listening) probed.close();
}

// --- State. A process that is started again in the same pod finds the files of the one before.

const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
let written = read(CONF);
// The address of a pod can change with its sandbox; the file of the one before is no good then.
if (written !== undefined && ownAddress && !written.includes(` ${ownAddress}\n`)) written = undefined;
/** Hashes of files that the daemon may have read, other than those of the present file. */
let former = JSON.parse(read(FORMER) ?? '[]');
let changedAt = 0;
let answeredAt = 0;
let daemons;

function replaceFile(file, content) {
  writeFileSync(`${file}.new`, content);
  renameSync(`${file}.new`, file);
}

function setFormer(hashes) {
  former = hashes;
  replaceFile(FORMER, JSON.stringify(hashes));
}

function write(content) {
  const isFirst = written === undefined;
  const hashes = hashesOf(content);
  const before = isFirst ? [] : [...hashesOf(written), ...former];
  // First what the daemon may have read: this process can end at any point.
  setFormer([...new Set(before)].filter((hash) => !hashes.includes(hash)).slice(0, 80));
  replaceFile(CONF, content);
  written = content;
  changedAt = answeredAt = Date.now();
  log(`${isFirst ? 'all addresses are known' : 'addresses have changed'}\n${content}`);
  if (isFirst) arrivedAt = changedAt;
}

/** The addresses of the other daemons. */
const others = () =>
  [...written.matchAll(SEGMENT)].map(([, , , , address]) => address).filter((one) => one !== ownAddress);

/** Asks a daemon that has read a former file to read the present one. */
async function follow() {
  if (!socket) return;
  const current = await statusWith(hashesOf(written));
  daemons = current?.daemons;
  if (!former.length) return;
  if (current) {
    setFormer([]);
    log('the daemon has read the file');
    return;
  }
  if (await statusWith(former)) answeredAt = Date.now();
  for (const hash of former) send(control(RELOAD, hash));
  const now = Date.now();
  if (now - answeredAt < SILENT_MS && now - changedAt < RELOAD_MS) return;
  replaceFile(RESTART, `${now}\n`);
  log('the daemon did not read the file: its supervisor restarts it');
  setFormer([]);
}

const server = createServer(async ({ url, socket: { remoteAddress } }, response) => {
  let code = 404;
  let body = '';
  if (url === '/written') code = written === undefined ? 503 : 200;
  else if (url === '/changed') code = (await learn(remoteAddress.replace(/^::ffff:/, ''))) ? 200 : 503;
  else if (url === '/status') {
    code = 200;
    body = JSON.stringify({ daemons, expected: hosts.length, isCurrent: former.length === 0 });
  }
  response.writeHead(code);
  response.end(body);
});
server.listen(Number(port));

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));
for (;;) {
  const content = await complete();
  if (content !== undefined && content !== written) write(content);
  if (written !== undefined) await Promise.all([follow(), announce(others()), showReadiness()]);
  await wait(INTERVAL_MS);
}
