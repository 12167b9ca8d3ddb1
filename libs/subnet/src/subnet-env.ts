/**
 * The subnet file: what the programs that start containers are told, and where the next run finds its last subnet.
 * Text and order of the original (spec/flannel.md §4).
 */
import { err, ok, type Result } from '@cluster/prelude'
import type { Net4, Net6 } from './ip-net.ts'
import { formatIp4, formatIp6, formatNet4, formatNet6, parseNet4, parseNet6, toIp4, toIp6 } from './ip-net.ts'
import type { Subnet } from './lease.ts'

/** What the subnet file says. The IPv4 or the IPv6 pair may be absent, not both. */
export type SubnetEnv = {
  readonly network?: Net4
  readonly subnet?: Net4
  readonly ipv6Network?: Net6
  readonly ipv6Subnet?: Net6
  /** Largest packet that the overlay carries, in bytes. */
  readonly mtu: number
  /** Whether the overlay masquerades what leaves it; the program that starts containers must not do so then. */
  readonly ipMasq: boolean
}

/** The text of the file. Subnets are written with their first host address: `10.5.34.1/24`. */
export function renderSubnetEnv({ network, subnet, ipv6Network, ipv6Subnet, mtu, ipMasq }: SubnetEnv): string {
  const lines = [
    ...(network === undefined ? [] : [`FLANNEL_NETWORK=${formatNet4(network)}`]),
    ...(subnet === undefined ? [] : [`FLANNEL_SUBNET=${gateway4(subnet)}/${subnet.length}`]),
    ...(ipv6Network === undefined ? [] : [`FLANNEL_IPV6_NETWORK=${formatNet6(ipv6Network)}`]),
    ...(ipv6Subnet === undefined ? [] : [`FLANNEL_IPV6_SUBNET=${gateway6(ipv6Subnet)}/${ipv6Subnet.length}`]),
    `FLANNEL_MTU=${mtu}`,
    `FLANNEL_IPMASQ=${ipMasq}`,
  ]
  return `${lines.join('\n')}\n`
}

/** The first host address of a subnet, which the bridge of the containers holds. */
export const gateway4 = ({ ip }: Net4): string => formatIp4(toIp4(ip + 1))

/** The first host address of a subnet, which the bridge of the containers holds. */
export const gateway6 = ({ ip }: Net6): string => formatIp6(toIp6(ip + 1n))

/**
 * The variables of a file of `NAME=value` lines: comments, `export`, `NAME: value` and quotes as usual; what is no
 * assignment is skipped; the last of two counts. Nothing is expanded.
 */
export function parseVariables(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const parts = /^\s*(?:export\s+)?([A-Za-z_][\w.]*)\s*(?:=|:\s)(.*)$/.exec(line)
    if (parts !== null) variables.set(parts[1] ?? '', plainValue((parts[2] ?? '').trim()))
  }
  return variables
}

function plainValue(written: string): string {
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(written)
  if (single !== null) return single[1] ?? ''
  const double = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/.exec(written)
  if (double !== null)
    return (double[1] ?? '').replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter))
  return written.replace(/(?:^|\s)#.*$/, '').trimEnd()
}

/** Why a subnet file tells no subnet. */
export type SubnetEnvProblem = { readonly variable: string; readonly text: string; readonly hint: string }

/**
 * The subnet of the last run; host bits are dropped. `undefined` in a file that has none.
 *
 * @returns a problem for text that is no subnet, and for several subnets separated by commas
 */
export function previousSubnet(text: string): Result<Subnet | undefined, SubnetEnvProblem> {
  const variables = parseVariables(text)
  const v4 = readNet(variables, 'FLANNEL_SUBNET', parseNet4)
  if (!v4.ok) return v4
  const v6 = readNet(variables, 'FLANNEL_IPV6_SUBNET', parseNet6)
  if (!v6.ok) return v6
  if (v4.value === undefined && v6.value === undefined) return ok(undefined)
  return ok({
    ...(v4.value === undefined ? {} : { v4: v4.value }),
    ...(v6.value === undefined ? {} : { v6: v6.value }),
  })
}

/**
 * All that the file says.
 *
 * @returns a problem for a file without any subnet, or with a value that cannot be read
 */
export function parseSubnetEnv(text: string): Result<SubnetEnv, SubnetEnvProblem> {
  const variables = parseVariables(text)
  const network = readNet(variables, 'FLANNEL_NETWORK', parseNet4)
  if (!network.ok) return network
  const ipv6Network = readNet(variables, 'FLANNEL_IPV6_NETWORK', parseNet6)
  if (!ipv6Network.ok) return ipv6Network
  const subnet = previousSubnet(text)
  if (!subnet.ok) return subnet
  if (subnet.value === undefined) return problem('FLANNEL_SUBNET', 'it is not there')
  const mtu = Number(variables.get('FLANNEL_MTU') ?? Number.NaN)
  if (!Number.isInteger(mtu) || mtu < 1) return problem('FLANNEL_MTU', 'it must be a whole number above 0')
  const ipMasq = variables.get('FLANNEL_IPMASQ')
  if (ipMasq !== 'true' && ipMasq !== 'false') return problem('FLANNEL_IPMASQ', 'it must be true or false')
  const { v4, v6 } = subnet.value
  return ok({
    ...(network.value === undefined ? {} : { network: network.value }),
    ...(v4 === undefined ? {} : { subnet: v4 }),
    ...(ipv6Network.value === undefined ? {} : { ipv6Network: ipv6Network.value }),
    ...(v6 === undefined ? {} : { ipv6Subnet: v6 }),
    mtu,
    ipMasq: ipMasq === 'true',
  })
}

function readNet<Net>(
  variables: ReadonlyMap<string, string>,
  variable: string,
  parse: (text: string) => Net | undefined,
): Result<Net | undefined, SubnetEnvProblem> {
  const text = variables.get(variable)
  if (text === undefined || text === '') return ok(undefined)
  const net = parse(text)
  if (net !== undefined) return ok(net)
  const found = text.includes(',') ? 'one subnet is expected' : 'an address and a length are expected'
  return problem(variable, `${found}, found ${JSON.stringify(text)}`)
}

const problem = (variable: string, what: string): Result<never, SubnetEnvProblem> =>
  err({ variable, text: `${variable} of the subnet file: ${what}`, hint: 'correct the file, or remove it' })
