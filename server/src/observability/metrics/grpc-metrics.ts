import type { MethodInfo } from '../../grpc/calls/methods.js';
import type { GrpcEvents } from '../events.js';
import type { Labels, MetricBoard, MetricSet } from './metric-board.js';
import { grpcMetrics } from './metrics-table.js';

/**
 * Names of the gRPC statuses by number, in the spelling of go-grpc-prometheus, which dashboards and alerts expect.
 */
const GRPC_CODES = [
  'OK',
  'Canceled',
  'Unknown',
  'InvalidArgument',
  'DeadlineExceeded',
  'NotFound',
  'AlreadyExists',
  'PermissionDenied',
  'ResourceExhausted',
  'FailedPrecondition',
  'Aborted',
  'OutOfRange',
  'Unimplemented',
  'Internal',
  'Unavailable',
  'DataLoss',
  'Unauthenticated',
];

const UNKNOWN = GRPC_CODES.indexOf('Unknown');

/** The common gRPC metrics of calls. Every method has all its series from the start. */
export function grpcMetricSet(board: MetricBoard, methods: readonly MethodInfo[]): MetricSet {
  const counts = new GrpcCounts(methods, (method) => board.observer(grpcMetrics.handling, labelsOf(method)));
  return {
    rows: Object.values(grpcMetrics),
    events: { grpc: counts },
    update: () => {
      for (const { method, started, received, sent, handled } of counts.all()) {
        const labels = labelsOf(method);
        board.set(grpcMetrics.started, started, labels);
        board.set(grpcMetrics.received, received, labels);
        board.set(grpcMetrics.sent, sent, labels);
        for (const [code, count] of handled.entries())
          board.set(grpcMetrics.handled, count, { ...labels, grpc_code: GRPC_CODES[code]! });
      }
    },
  };
}

function labelsOf({ type, service, method }: MethodInfo): Labels {
  return { grpc_type: type, grpc_service: service, grpc_method: method };
}

/** The counts of one method. */
class MethodCounts {
  started = 0;
  received = 0;
  sent = 0;
  /** By number of the status. */
  readonly handled: number[] = GRPC_CODES.map(() => 0);

  constructor(
    readonly method: MethodInfo,
    readonly observe: (seconds: number) => void,
  ) {}
}

/** Counts calls in plain numbers: a message costs a Map look-up and an addition, without combining labels. */
class GrpcCounts implements Omit<GrpcEvents, 'spreadError' | 'eventsDelivered'> {
  readonly #byMethod = new Map<MethodInfo, MethodCounts>();
  readonly #byName = new Map<string, MethodCounts>();

  constructor(
    methods: readonly MethodInfo[],
    readonly observer: (method: MethodInfo) => (seconds: number) => void,
  ) {
    for (const method of methods) this.#of(method);
  }

  all(): Iterable<MethodCounts> {
    return this.#byName.values();
  }

  callStarted(method: MethodInfo): void {
    this.#of(method).started++;
  }

  callFinished(method: MethodInfo, code: number, seconds: number): void {
    const counts = this.#of(method);
    counts.handled[code in GRPC_CODES ? code : UNKNOWN]!++;
    counts.observe(seconds);
  }

  messageReceived(method: MethodInfo): void {
    this.#of(method).received++;
  }

  messageSent(method: MethodInfo): void {
    this.#of(method).sent++;
  }

  #of(method: MethodInfo): MethodCounts {
    return this.#byMethod.get(method) ?? this.#add(method);
  }

  // Two servers with the same service (health, on both ports) have two objects for one method, and share its counts.
  #add(method: MethodInfo): MethodCounts {
    const name = `${method.service}/${method.method}`;
    const counts = this.#byName.get(name) ?? new MethodCounts(method, this.observer(method));
    this.#byName.set(name, counts);
    this.#byMethod.set(method, counts);
    return counts;
  }
}
