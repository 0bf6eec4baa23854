/** The value of a metric without labels. NaN if the sidecar does not have the metric. */
export async function metricOf(adminPort: number, name: string): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(page)?.[1]);
}
