/**
 * The network configuration: the JSON text under `PREFIX/config`, read with every default, bound and error of the
 * original (spec/flannel.md §2). What a release accepts is a profile; ours has the sanity rules of 0.17, wants Network
 * to be given, and says where 0.9 reads the same text otherwise.
 */
import { err, ok, type Result } from '@cluster/prelude'
import { type ConfigProblem, type ProfileRules, readBackend, readMembers } from './config-members.ts'
import type { Ip4, Ip6, Net4, Net6 } from './ip-net.ts'
import type { JsonObject } from './json-text.ts'
import { ruleIpv4, ruleIpv6 } from './network-rules.ts'

/** Whose rules hold: ours, or those of a release of the original. `v0.9.1` stands for 0.2 to 0.9. */
export type ConfigProfile = 'ours' | 'v0.9.1' | 'v0.17.0' | 'v0.20.2' | 'v0.28.9'

/** The IPv6 half of a configuration. */
export type Ipv6Config = {
  readonly network: Net6
  readonly subnetLength: number
  /** First address of the lowest subnet that is given. */
  readonly subnetMin: Ip6
  /** First address of the highest subnet that is given. */
  readonly subnetMax: Ip6
}

/** A configuration with all defaults filled in. */
export type NetworkConfig = {
  /** False: the four IPv4 fields are as written, neither defaulted nor checked. */
  readonly enableIpv4: boolean
  readonly network: Net4
  /** Prefix length of each machine's subnet. */
  readonly subnetLength: number
  /** First address of the lowest subnet that is given. */
  readonly subnetMin: Ip4
  /** First address of the highest subnet that is given. */
  readonly subnetMax: Ip4
  /** Present when IPv6 is enabled. */
  readonly ipv6?: Ipv6Config
  readonly enableNftables: boolean
  /** As written, in any case; `udp` when Backend is absent, empty when it has no Type. */
  readonly backendType: string
  /** The members of Backend; empty when it is absent or null. */
  readonly backend: JsonObject
  /** Backend as written, white space included; absent when it was not given. */
  readonly backendText?: string
}

/** A configuration, and what a person should know about it. */
export type ConfigReading = { readonly config: NetworkConfig; readonly warnings: readonly string[] }

const profiles: Readonly<Record<ConfigProfile, ProfileRules>> = {
  ours: { sanity: 'strict', needsNetwork: true, ipv6: true, nftables: true, lowerCase: false },
  'v0.9.1': { sanity: 'loose', needsNetwork: false, ipv6: false, nftables: false, lowerCase: false },
  'v0.17.0': { sanity: 'strict', needsNetwork: false, ipv6: true, nftables: false, lowerCase: false },
  'v0.20.2': { sanity: 'strict', needsNetwork: true, ipv6: true, nftables: false, lowerCase: true },
  'v0.28.9': { sanity: 'strict', needsNetwork: true, ipv6: true, nftables: true, lowerCase: true },
}

/**
 * The configuration in a text.
 *
 * @param profile whose rules hold; ours unless told
 */
export function parseNetworkConfig(
  text: string,
  profile: ConfigProfile = 'ours',
): Result<ConfigReading, ConfigProblem> {
  const reading = parseUnder(text, profiles[profile])
  if (profile !== 'ours') return reading.ok ? ok({ config: reading.value, warnings: [] }) : reading
  const original = parseUnder(text, profiles['v0.9.1'])
  if (reading.ok) return ok({ config: reading.value, warnings: warningsOf(reading.value, original) })
  if (!original.ok) return reading
  return err({ ...reading.error, hint: `${reading.error.hint} (flanneld 0.9 accepts this text; we do not)` })
}

/** What is lawful, but not what a machine of release 0.9 in the same network would do. */
function warningsOf(config: NetworkConfig, original: Result<NetworkConfig, ConfigProblem>): readonly string[] {
  const { enableIpv4, ipv6, subnetLength } = config
  const warnings: string[] = []
  if (!original.ok) warnings.push(`flanneld 0.9 refuses this configuration: ${original.error.text}`)
  else if (enableIpv4 && original.value.subnetLength !== subnetLength)
    warnings.push(
      `flanneld 0.9 gives out subnets of length ${original.value.subnetLength} here, we of length ${subnetLength}: ` +
        'set SubnetLen, so that all machines of the network agree',
    )
  if (!enableIpv4) warnings.push('flanneld 0.9 does not know EnableIPv4: it gives out IPv4 subnets nevertheless')
  if (!enableIpv4 && ipv6 === undefined) warnings.push('neither IPv4 nor IPv6 is enabled: no subnet can be given out')
  if (enableIpv4 && config.subnetMin > config.subnetMax)
    warnings.push('SubnetMin is above SubnetMax: no subnet can be given out')
  if (ipv6 !== undefined) warnings.push('flanneld 0.9 knows no IPv6: it sees only the IPv4 half of a lease')
  if (ipv6 !== undefined && ipv6.subnetMin > ipv6.subnetMax)
    warnings.push('IPv6SubnetMin is above IPv6SubnetMax: no subnet can be given out')
  return warnings
}

function parseUnder(text: string, rules: ProfileRules): Result<NetworkConfig, ConfigProblem> {
  const read = readMembers(text, rules)
  if (!read.ok) return read
  const { enableIpv4, enableIpv6, enableNftables, backendText } = read.value
  const ipv4 = enableIpv4 ? ruleIpv4(read.value.ipv4, rules) : ok(read.value.ipv4)
  if (!ipv4.ok) return ipv4
  const ipv6 = enableIpv6 ? ruleIpv6(read.value.ipv6, rules) : ok(undefined)
  if (!ipv6.ok) return ipv6
  const backend = readBackend(backendText)
  if (!backend.ok) return backend
  return ok({
    enableIpv4,
    ...ipv4.value,
    ...(ipv6.value === undefined ? {} : { ipv6: ipv6.value }),
    enableNftables,
    ...backend.value,
    ...(backendText === undefined ? {} : { backendText }),
  })
}
