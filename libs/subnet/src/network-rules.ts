/**
 * The rules on lengths and bounds of a network, in the order and the words of the original (spec/flannel.md §2). Both
 * families obey the same ones; numbers are big integers here, modulo the size of the family.
 */
import { err, ok, type Result } from '@cluster/prelude'
import type { ConfigProblem, FamilyMembers, ProfileRules } from './config-members.ts'
import type { Ip4, Ip6, Net4, Net6 } from './ip-net.ts'
import { formatIp4, formatIp6, toIp4, toIp6 } from './ip-net.ts'

/** What differs between the families: words and limits. */
type Family = {
  readonly bits: 32 | 128
  readonly prefix: '' | 'IPv6'
  readonly format: (ip: bigint) => string
  /** The subnet length for a network that is short enough, and the longest such network. */
  readonly usual: number
  readonly usualUpTo: number
}

const ipv4: Family = {
  bits: 32,
  prefix: '',
  format: (ip) => formatIp4(toIp4(Number(ip))),
  usual: 24,
  usualUpTo: 22,
}

const ipv6: Family = { bits: 128, prefix: 'IPv6', format: (ip) => formatIp6(toIp6(ip)), usual: 64, usualUpTo: 62 }

type Numbers = FamilyMembers<{ readonly ip: bigint; readonly length: number }, bigint>

/** IPv4 with defaults filled in. */
export function ruleIpv4(
  members: FamilyMembers<Net4, Ip4>,
  rules: ProfileRules,
): Result<FamilyMembers<Net4, Ip4>, ConfigProblem> {
  const { network, subnetLength, subnetMin, subnetMax } = members
  if (rules.needsNetwork && network.ip === 0 && network.length === 0) return noNetwork('Network', '10.5.0.0/16')
  const ruled = ruleFamily(
    {
      network: { ip: BigInt(network.ip), length: network.length },
      subnetLength,
      subnetMin: BigInt(subnetMin),
      subnetMax: BigInt(subnetMax),
    },
    ipv4,
    rules,
  )
  if (!ruled.ok) return ruled
  const { value } = ruled
  return ok({
    network,
    subnetLength: value.subnetLength,
    subnetMin: toIp4(Number(value.subnetMin)),
    subnetMax: toIp4(Number(value.subnetMax)),
  })
}

/** IPv6 with defaults filled in. */
export function ruleIpv6(
  members: FamilyMembers<Net6 | undefined, Ip6>,
  rules: ProfileRules,
): Result<FamilyMembers<Net6, Ip6>, ConfigProblem> {
  const { network } = members
  if (network === undefined || (network.ip === 0n && network.length === 0))
    return noNetwork('IPv6Network', 'fc00:5::/48')
  const ruled = ruleFamily({ ...members, network }, ipv6, rules)
  if (!ruled.ok) return ruled
  const { subnetLength, subnetMin, subnetMax } = ruled.value
  return ok({ network, subnetLength, subnetMin: toIp6(subnetMin), subnetMax: toIp6(subnetMax) })
}

function ruleFamily(members: Numbers, family: Family, rules: ProfileRules): Result<Numbers, ConfigProblem> {
  const { network } = members
  const length =
    rules.sanity === 'loose' ? looseLength(members, family) : strictLength(members, family, rules.lowerCase)
  if (!length.ok) return length
  const subnetLength = length.value
  const size = 1n << BigInt(family.bits - subnetLength)
  const end = network.ip + (1n << BigInt(family.bits - network.length))
  const wrap = (ip: bigint): bigint => BigInt.asUintN(family.bits, ip)
  const subnetMin = members.subnetMin === 0n ? wrap(network.ip + size) : members.subnetMin
  const subnetMax = members.subnetMax === 0n ? wrap(end - size) : members.subnetMax
  const bounds = [
    { name: 'Min', given: members.subnetMin },
    { name: 'Max', given: members.subnetMax },
  ].filter(({ given }) => given !== 0n)
  const { prefix } = family
  for (const { name, given } of bounds) {
    if (given < network.ip || given >= end)
      return rule(
        `${prefix}Subnet${name} is not in the range of the ${prefix}Network`,
        `give a ${prefix}Subnet${name} from ${family.format(network.ip)} to ${family.format(wrap(end - size))}`,
      )
  }
  if (rules.sanity === 'strict') {
    for (const { name, given } of bounds) {
      if (given % size !== 0n)
        return rule(
          `${prefix}Subnet${name} is not on a SubnetLen boundary: ${family.format(given)}`,
          `give the first address of a /${subnetLength}, such as ${family.format(given - (given % size))}`,
        )
    }
  }
  return ok({ network, subnetLength, subnetMin, subnetMax })
}

function looseLength({ network, subnetLength }: Numbers, { bits }: Family): Result<number, ConfigProblem> {
  const length = subnetLength > 0 ? subnetLength : network.length < 24 ? 24 : network.length + 1
  // The release has no upper bound and then counts in networks of no address at all; refusing is right.
  if (length > bits) return rule(`SubnetLen must be at most /${bits}`, 'give a SubnetLen of 24, or a wider Network')
  if (length < network.length)
    return rule('HostSubnet is larger network than Network', `give a SubnetLen above ${network.length}`)
  return ok(length)
}

function strictLength(
  { network, subnetLength }: Numbers,
  { bits, prefix, usual, usualUpTo }: Family,
  lowerCase: boolean,
): Result<number, ConfigProblem> {
  if (subnetLength > 0) {
    if (subnetLength > bits - 2)
      return rule(`SubnetLen must be less than /${bits - 1}`, `give a ${prefix}SubnetLen of at most ${bits - 2}`)
    if (subnetLength < network.length + 2)
      return rule(
        `${lowerCase ? 'n' : 'N'}etwork must be able to accommodate at least four subnets`,
        `give a ${prefix}SubnetLen of at least ${network.length + 2}, or a wider ${prefix}Network`,
      )
    return ok(subnetLength)
  }
  if (network.length > bits - 4) {
    const name = prefix === '' ? `${lowerCase ? 'n' : 'N'}etwork` : 'IPv6Network'
    return rule(
      `${name} is too small. Minimum useful network prefix is /${bits - 4}`,
      `give a wider ${prefix}Network, or a ${prefix}SubnetLen`,
    )
  }
  return ok(network.length <= usualUpTo ? usual : network.length + 2)
}

const rule = (text: string, hint: string): Result<never, ConfigProblem> => err({ kind: 'rule', text, hint })

const noNetwork = (name: string, example: string): Result<never, ConfigProblem> =>
  rule(`please define a correct ${name} parameter in the flannel config`, `give ${name}, such as "${example}"`)
