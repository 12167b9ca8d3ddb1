/** One full look at a machine's network, by short-lived programs: they know no device numbers of yesterday. */
import { LinuxNetError, permissionHint } from './errors.ts'
import { parseAddressShow, parseForwardingShow, parseNeighbourShow, parseRouteShow } from './parse-ip.ts'
import { type ProgramHost, runProgram } from './run-program.ts'
import type { NetworkState } from './state/network-state.ts'

export type LookOptions = {
  /** Routes of IPv6, too. */
  readonly ipv6?: boolean
  /** Forwarding entries, too; default true. */
  readonly forwarding?: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * All links, addresses, routes of the main table, permanent neighbours, and forwarding entries with a remote unless they
 * are not wanted: they take a program of their own.
 *
 * @throws LinuxNetError `linux-net/program-missing`, `linux-net/no-permission`, `linux-net/observation`, `linux-net/timeout`
 */
export async function observeNetwork(
  host: ProgramHost,
  { ipv6 = false, forwarding = true, signal }: LookOptions = {},
): Promise<NetworkState> {
  const [general, entries, routes6] = await Promise.all([
    look(['ip', '-N', '-d', '-json', '-batch', '-'], host, {
      input: 'address show\nneighbour show nud permanent\nroute show table main\n',
      signal,
    }),
    forwarding ? look(['bridge', '-json', 'fdb', 'show'], host, { signal }) : '',
    ipv6 ? look(['ip', '-N', '-6', '-json', 'route', 'show', 'table', 'main'], host, { signal }) : '',
  ])
  const [addresses = '', neighbours = '', routes = ''] = general.split('\n').filter((line) => line !== '')
  return {
    ...parseAddressShow(addresses),
    routes: [...parseRouteShow(routes, 4), ...parseRouteShow(routes6, 6)],
    neighbours: parseNeighbourShow(neighbours),
    forwarding: parseForwardingShow(entries),
  }
}

async function look(
  words: readonly string[],
  host: ProgramHost,
  options: { readonly input?: string; readonly signal?: AbortSignal | undefined },
): Promise<string> {
  const { status, stdout, stderr } = await runProgram(words, host, options)
  if (status === 0) return stdout
  const denied = /operation not permitted|permission denied/i.test(stderr)
  throw new LinuxNetError(
    denied ? 'linux-net/no-permission' : 'linux-net/observation',
    `${words.join(' ')} failed with ${status}: ${stderr.trim()}`,
    { hint: denied ? permissionHint : 'iproute2 4.20 or later is needed' },
  )
}
