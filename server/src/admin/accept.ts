/**
 * Whether a scraper's Accept header (RFC 9110 §12.5.1) prefers OpenMetrics 1.0 to Prometheus' text format. Without a header, or
 * with a wildcard alone: no.
 */
export function prefersOpenMetrics(accept = ''): boolean {
  let openMetrics = 0;
  let text = 0;
  for (const part of accept.toLowerCase().split(',')) {
    const [type = '', ...rest] = part.split(';').map((piece) => piece.trim());
    const parameters = new Map(rest.map((piece) => piece.split('=', 2) as [string, string]));
    const quality = Number(parameters.get('q') ?? 1);
    const version = parameters.get('version') ?? '1.0.0';
    if (type === 'application/openmetrics-text' && version === '1.0.0')
      openMetrics = Math.max(openMetrics, quality);
    else if (type === 'text/plain') text = Math.max(text, quality);
  }
  return openMetrics > 0 && openMetrics >= text;
}
