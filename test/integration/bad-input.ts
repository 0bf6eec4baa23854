import { Metadata, type MethodDefinition, status } from '@grpc/grpc-js';
import * as api from 'spread-sidecar-proto';
import { type RpcError, rpcErrorOf } from '../support/sidecars/rpc-error.js';
import { TestMailbox } from '../support/sidecars/sidecar-calls.js';
import { startSidecar } from '../support/sidecars/sidecar-fixture.js';

export type Rpc = keyof typeof api.MailboxServiceService;

/** The mailboxes that rows refer to. */
export interface Scene {
  /** An open mailbox: AUTO, with membership, in the group `chat`, with one delivered event. */
  readonly id: string;
  /** An open mailbox with EXPLICIT acknowledgement and no delivered event. */
  readonly explicitId: string;
  /** An open mailbox without membership. */
  readonly membershipOffId: string;
  readonly goneId: string;
}

/** One invalid request. */
export interface BadInput {
  rpc: Rpc;
  what: string;
  /**
   * The fields of the request. For MulticastStream, the fields of the message in its first batch. Bytes are sent
   * unchanged.
   */
  request: object | Buffer | ((scene: Scene) => object | Buffer);
  code: status;
  reason: string;
  /** Pattern of the error message: the field, and the limit if there is one. */
  says: readonly string[];
  /** Metadata of ErrorInfo, when the row is about a field. */
  field?: string;
  metadata?: Record<string, string>;
}

/** Collects rows. */
export class BadInputs {
  readonly rows: BadInput[] = [];

  /** Adds rows of one RPC that share a reason. */
  readonly refuse = (
    rpc: Rpc,
    reason: string,
    of: Partial<Pick<BadInput, 'says' | 'field' | 'code' | 'metadata'>>,
    cases: Record<string, BadInput['request']>,
  ): void => {
    for (const [what, request] of Object.entries(cases)) {
      this.rows.push({ rpc, what, request, reason, code: status.INVALID_ARGUMENT, says: [], ...of });
    }
  };
}

/** The result of a row: the failure of the call or, for a message of a stream, its rejection. */
export interface Refusal {
  code: status;
  sentence: string;
  reason: string | undefined;
  domain: string | undefined;
  metadata: Record<string, string>;
}

/** A sidecar with the mailboxes that rows refer to, for all tests of a file. */
export async function startBadInputScene() {
  const sidecar = await startSidecar({ adminTokens: ['the-token'] });
  const { client } = sidecar;
  const open = async (request = {}) => (await TestMailbox.open(client, request)).id;
  const auto = await TestMailbox.open(client);
  await auto.call('join', { group: 'chat', awaitView: true });
  const receiving = auto.receive();
  await receiving.first(1);
  receiving.cancel();
  const disconnected = await TestMailbox.open(client);
  await disconnected.call('disconnect');
  const scene: Scene = {
    id: auto.id,
    explicitId: await open({ acknowledgement: 2 }),
    membershipOffId: await open({ membership: false }),
    goneId: disconnected.id,
  };
  return { ...sidecar, scene, refusalOf: (row: BadInput) => refusalOf(client, scene, row) };
}

const TYPES: Record<
  Exclude<Rpc, 'multicastStream'>,
  { fromPartial(partial: object): unknown; encode(value: never): { finish(): Uint8Array } }
> = {
  connect: api.ConnectRequest,
  disconnect: api.DisconnectRequest,
  join: api.JoinRequest,
  leave: api.LeaveRequest,
  multicast: api.MulticastRequest,
  receive: api.ReceiveRequest,
  acknowledge: api.AcknowledgeRequest,
  poll: api.PollRequest,
  getMailbox: api.GetMailboxRequest,
  getView: api.GetViewRequest,
  listMailboxes: api.ListMailboxesRequest,
  getVersion: api.GetVersionRequest,
};

async function refusalOf(client: api.MailboxServiceClient, scene: Scene, row: BadInput): Promise<Refusal> {
  const request = typeof row.request === 'function' ? row.request(scene) : row.request;
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(row.metadata ?? {})) metadata.set(key, value);
  const answers: unknown[] = [];
  const { path, responseDeserialize } = api.MailboxServiceService[row.rpc] as MethodDefinition<
    unknown,
    unknown
  >;
  const same = (bytes: Buffer) => bytes;
  const frames = row.rpc === 'multicastStream' ? streamFrames(scene, request) : [bytesOf(row.rpc, request)];
  // Treats every kind of call as a stream.
  const call = client.makeBidiStreamRequest(path, same, responseDeserialize, metadata, {
    deadline: Date.now() + 5000,
  });
  const end = new Promise<RpcError | undefined>((resolve) => {
    call.on('status', (ended) => resolve(ended.code === status.OK ? undefined : rpcErrorOf(ended)));
  });
  call.on('data', (answer) => answers.push(answer)).on('error', () => {});
  for (const frame of frames) call.write(frame);
  call.end();
  const failure = await end;
  if (failure) {
    const { code, details, info } = failure;
    return {
      code,
      sentence: details,
      reason: info?.reason,
      domain: info?.domain,
      metadata: info?.metadata ?? {},
    };
  }
  const refusal = (answers as api.MulticastStreamResponse[]).flatMap(({ refusals = [] }) => refusals)[0];
  if (!refusal) throw new Error(`it was accepted: ${answers.length} answers`);
  const { statusCode, statusMessage, reason, domain } = refusal;
  return {
    code: statusCode,
    sentence: statusMessage,
    reason,
    domain,
    metadata: Object.fromEntries(refusal.metadata),
  };
}

function bytesOf(rpc: Exclude<Rpc, 'multicastStream'>, request: object): Buffer {
  if (Buffer.isBuffer(request)) return request;
  const type = TYPES[rpc];
  return Buffer.from(type.encode(type.fromPartial(request) as never).finish());
}

/** A row for a stream is a message in its first batch, or the frames themselves. */
function streamFrames(scene: Scene, request: object): Buffer[] {
  const encode = (frame: object) =>
    Buffer.from(
      api.MulticastStreamRequest.encode(api.MulticastStreamRequest.fromPartial({ frame } as object)).finish(),
    );
  const open = encode({ $case: 'open', value: { mailboxId: scene.id } });
  if (Buffer.isBuffer(request)) return [open, request];
  if ('frames' in request)
    return (request.frames as (object | Buffer)[]).map((frame) =>
      Buffer.isBuffer(frame) ? frame : encode(frame),
    );
  return [open, encode({ $case: 'batch', value: { messages: [request] } })];
}
