/** The address a machine publishes when none is configured: its own on the way out. Source: spec/fleet.md §6.4. */
import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'

/** First IPv4 address, neither loopback nor link-local, of the default route's interface; `''` when there is none. */
export async function findPublicIp(): Promise<string> {
  const routes = await readFile('/proc/net/route', 'utf8').catch(() => '')
  const name = defaultInterface(routes)
  const addresses = name === undefined ? [] : (networkInterfaces()[name] ?? [])
  const usable = addresses.find(
    ({ family, address, internal }) => family === 'IPv4' && !internal && !address.startsWith('169.254.'),
  )
  return usable?.address ?? ''
}

/** Interface of the default route with the smallest metric, from the text of /proc/net/route. */
export function defaultInterface(routes: string): string | undefined {
  const candidates = routes
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, destination, , flags]) => destination === '00000000' && (Number.parseInt(flags ?? '0', 16) & 1) === 1)
    .map(([name, , , , , , metric]) => ({ name, metric: Number(metric) }))
    .sort((one, other) => one.metric - other.metric)
  return candidates[0]?.name
}
