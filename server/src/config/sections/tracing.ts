import { fraction } from '../values/numbers.js';
import { oneOf, orEmpty, text, wordOr } from '../values/words.js';
import { option, type Section } from './section.js';

export const tracing = {
  title: 'Tracing',
  text: 'OpenTelemetry traces of calls and messages. The standard variables of OpenTelemetry, such as `OTEL_SERVICE_NAME`, apply too. These options override them. [tracing.md](tracing.md) describes both.',
  options: {
    exporter: option({
      type: oneOf('auto', 'off', 'otlp-grpc', 'otlp-http'),
      default: 'auto',
      why: 'Tracing is off unless the operator turns it on.',
      text: 'Exporter of spans. With otlp-grpc and otlp-http, the sidecar sends spans over OTLP to a collector. With auto, the environment decides: tracing is on only if `OTEL_TRACES_EXPORTER` is `otlp`.',
    }),
    endpoint: option({
      type: orEmpty(
        text({
          expects: 'a URL http://host:port or https://host:port without a user name',
          placeholder: 'url',
          pattern: /^https?:\/\/[^\s@?#]{1,500}$/,
        }),
      ),
      default: '',
      why: 'The variables `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` and `OTEL_EXPORTER_OTLP_ENDPOINT` then apply. Without them, the collector is on this machine: at port 4317 for gRPC, and at port 4318 for HTTP.',
      text: 'Address of the collector. For otlp-http, the sidecar appends `/v1/traces`.',
    }),
    sampleRatio: option({
      type: wordOr(['auto'], fraction({ min: '0', max: '1' })),
      default: 'auto',
      why: 'A configuration with the standard variables of OpenTelemetry works without this option.',
      text: 'Fraction of the traces to record, among the traces that start in the sidecar. If a call or a message already belongs to a trace, the sidecar follows the sampling decision of this trace. With auto, `OTEL_TRACES_SAMPLER` decides. Without this variable, the sidecar records every trace that starts in the sidecar.',
    }),
  },
} satisfies Section;
