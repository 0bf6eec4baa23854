// Writes spread.conf for the daemon of this pod, and writes it again when another daemon's pod has a new address. Spread reads
// the file at its start, and rejects packets from addresses that are not in the file. A running daemon reads the file again when
// it gets a reload packet from its own address. Its clients then stay connected. If the daemon does not reload, this process
// writes the file `restart`, and the supervisor (spread-supervisor.sh) restarts the daemon.
//
// node spread-addresses.mjs TEMPLATE FOLDER NAME PORT: TEMPLATE is spread.conf with {host} in place of the address of each host.
// The process writes its files to FOLDER. NAME is the name of this pod's daemon. The environment variable POD_IPS has the
// addresses of this pod; probes use the first one. The process serves /written, /status and /changed on PORT.
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
/** If the daemon answers for none of its configurations, it cannot reload, for example because it is an older release. */
const SILENT_MS = Number(process.env.SILENT_MS || 10_000);
/** A daemon reloads only while its ring is stable. It takes up to about 15 s to form a ring. */
const RELOAD_MS = Number(process.env.RELOAD_MS || 30_000);

const ANNOUNCE_MS = 60_000;

const text = readFileSync(template, 'utf8');
/** A daemon of the template: its name, and the name of its host. */
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

/** For each host: the address that its pod announced, and the address in DNS at that time. DNS can be cached for 30 s. */
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

/** The text of spread.conf with all addresses. Undefined while a pod has no address. */
async function complete() {
  try {
    const found = await Promise.all(hosts.map(addressOf));
    return text.replace(HOST, (_, host) => found[hosts.indexOf(host)]);
  } catch {
    return undefined;
  }
}

/** Finds the calling pod by the name of its address in DNS. A call could forge all other data. */
async function learn(address) {
  const names = await reverse(address).catch(() => []);
  const host = hosts.find((one) => names.some((name) => name.startsWith(`${one}.`)));
  if (!host || host === ownHost || announced.get(host)?.address === address) return host !== undefined;
  announced.set(host, { address });
  return true;
}

/** The time when this pod got its address, and the addresses of the other pods that already know it. */
let arrivedAt = 0;
const told = new Set();

/** Announces the new address of this pod to the other pods. Retries for a minute with pods that do not confirm. */
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

/** Bob Jenkins' one-at-a-time hash, which starts with the length. Spread uses it for IDs of daemons and configurations. */
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

/** The possible hashes of a file. The hash depends on two options of Spread: AcceleratedRing and ExcludeSegAddrsFromHash. */
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

/** A control packet from the daemon to itself, in the format of Spread's monitor. */
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

/** The status of the daemon, if it has read a file with one of these hashes. It ignores requests with other hashes. */
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

// --- Readiness of the daemon. The kubelet connects to the first address of the pod. If this is an IPv6 address, this process
// listens on it with the daemon's port, while the daemon accepts connections.

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

// --- State. After a restart in the same pod, this process finds the files of the previous process.

const read = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined);
let written = read(CONF);
// If the sandbox of the pod is replaced, the address of the pod can change. The file of the previous process is then invalid.
if (written !== undefined && ownAddress && !written.includes(` ${ownAddress}\n`)) written = undefined;
/** Hashes of earlier files that the daemon may have read. */
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
  // Stores first which files the daemon may have read, because this process can end at any time.
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

/** Requests that the daemon reads the current file, if it has read an earlier one. */
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
