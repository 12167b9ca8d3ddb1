/**
 * The members of a network configuration as they are written, before any rule. Addresses are read from the text
 * between the quotes, escapes not decoded; names in any case; the last of two counts. Source: spec/flannel.md §2.
 */
import { err, ok, type Result } from '@cluster/prelude'
import type { Ip4, Ip6, Net4, Net6 } from './ip-net.ts'
import { net4, parseIp4, parseIp6, parseNet4, parseNet6, toIp6, unsetIp4 } from './ip-net.ts'
import { isJsonObject, type JsonObject, knownMembers, parseJson } from './json-text.ts'
import { unquoted } from './lease.ts'

/** Why a text is no configuration. */
export type ConfigProblem = {
  /** `rule`: one of the rules on lengths and bounds; its text is that of the release, exactly. */
  readonly kind: 'bad-json' | 'bad-cidr' | 'bad-ip' | 'bad-backend' | 'rule'
  /** The thing, what was expected and what was found. */
  readonly text: string
  /** What to do about it. */
  readonly hint: string
}

/** What sets the rules of one release apart from those of another. */
export type ProfileRules = {
  /** `loose`: only that a subnet fits into the network; `strict`: four subnets, alignment, lengths. */
  readonly sanity: 'loose' | 'strict'
  /** Whether an absent Network, or 0.0.0.0/0, is refused. */
  readonly needsNetwork: boolean
  readonly ipv6: boolean
  readonly nftables: boolean
  /** Two of the texts begin with a lower-case letter. */
  readonly lowerCase: boolean
}

/** One family as written; length 0 and address 0 stand for "not given". */
export type FamilyMembers<Net, Ip> = {
  readonly network: Net
  readonly subnetLength: number
  readonly subnetMin: Ip
  readonly subnetMax: Ip
}

/** All members as written. */
export type ConfigMembers = {
  readonly enableIpv4: boolean
  readonly enableIpv6: boolean
  readonly enableNftables: boolean
  readonly ipv4: FamilyMembers<Net4, Ip4>
  readonly ipv6: FamilyMembers<Net6 | undefined, Ip6>
  readonly backendText?: string
}

const unset: ConfigMembers = {
  enableIpv4: true,
  enableIpv6: false,
  enableNftables: false,
  ipv4: { network: net4(unsetIp4, 0), subnetLength: 0, subnetMin: unsetIp4, subnetMax: unsetIp4 },
  ipv6: { network: undefined, subnetLength: 0, subnetMin: toIp6(0n), subnetMax: toIp6(0n) },
}

/** Reads one member; an address that cannot be read ends the reading at once, a wrong JSON type only afterwards. */
type Reader = (members: ConfigMembers, text: string, name: string) => Result<ConfigMembers, ConfigProblem>

const readers: Readonly<Record<string, Reader>> = {
  Network: (members, text) => {
    const network = parseNet4(unquoted(text))
    if (network === undefined) return badCidr('Network', text, '10.5.0.0/16')
    return ok({ ...members, ipv4: { ...members.ipv4, network } })
  },
  SubnetMin: (members, text) => {
    const subnetMin = parseIp4(unquoted(text))
    return subnetMin === undefined
      ? badIp('SubnetMin', text, '10.5.1.0')
      : ok({ ...members, ipv4: { ...members.ipv4, subnetMin } })
  },
  SubnetMax: (members, text) => {
    const subnetMax = parseIp4(unquoted(text))
    return subnetMax === undefined
      ? badIp('SubnetMax', text, '10.5.255.0')
      : ok({ ...members, ipv4: { ...members.ipv4, subnetMax } })
  },
  SubnetLen: (members, text, name) => {
    const subnetLength = readLength(text, members.ipv4.subnetLength)
    return subnetLength === undefined
      ? badType(name, text, 'a whole number in digits')
      : ok({ ...members, ipv4: { ...members.ipv4, subnetLength } })
  },
  Backend: (members, text) => ok({ ...members, backendText: text }),
}

const ipv6Readers: Readonly<Record<string, Reader>> = {
  EnableIPv4: (members, text, name) => readSwitch(members, 'enableIpv4', text, name),
  EnableIPv6: (members, text, name) => readSwitch(members, 'enableIpv6', text, name),
  IPv6Network: (members, text) => {
    const network = parseNet6(unquoted(text))
    if (network === undefined) return badCidr('IPv6Network', text, 'fc00:5::/48')
    return ok({ ...members, ipv6: { ...members.ipv6, network } })
  },
  IPv6SubnetMin: (members, text) => {
    const subnetMin = parseIp6(unquoted(text))
    return subnetMin === undefined
      ? badIp('IPv6SubnetMin', text, 'fc00:5:0:1::')
      : ok({ ...members, ipv6: { ...members.ipv6, subnetMin } })
  },
  IPv6SubnetMax: (members, text) => {
    const subnetMax = parseIp6(unquoted(text))
    return subnetMax === undefined
      ? badIp('IPv6SubnetMax', text, 'fc00:5:0:ff::')
      : ok({ ...members, ipv6: { ...members.ipv6, subnetMax } })
  },
  IPv6SubnetLen: (members, text, name) => {
    const subnetLength = readLength(text, members.ipv6.subnetLength)
    return subnetLength === undefined
      ? badType(name, text, 'a whole number in digits')
      : ok({ ...members, ipv6: { ...members.ipv6, subnetLength } })
  },
}

const nftablesReaders: Readonly<Record<string, Reader>> = {
  EnableNFTables: (members, text, name) => readSwitch(members, 'enableNftables', text, name),
}

/** The members of a text that the profile knows; others are ignored. */
export function readMembers(text: string, rules: ProfileRules): Result<ConfigMembers, ConfigProblem> {
  const value = parseJson(text)
  if (value === undefined) return badJson('the configuration is not JSON')
  if (value === null) return ok(unset)
  if (!isJsonObject(value)) return badJson('the configuration is JSON, but not an object')
  const known = { ...readers, ...(rules.ipv6 ? ipv6Readers : {}), ...(rules.nftables ? nftablesReaders : {}) }
  let members = unset
  let wrongType: Result<ConfigMembers, ConfigProblem> | undefined
  for (const member of knownMembers(text, Object.keys(known))) {
    const read = known[member.name]?.(members, member.text, member.name)
    if (read?.ok) members = read.value
    else if (read !== undefined && read.error.kind !== 'bad-json') return read
    else wrongType ??= read
  }
  return wrongType ?? ok(members)
}

/** Backend: its type as written, and its members. */
export function readBackend(
  text: string | undefined,
): Result<{ readonly backendType: string; readonly backend: JsonObject }, ConfigProblem> {
  if (text === undefined) return ok({ backendType: 'udp', backend: {} })
  const value = parseJson(text)
  if (value === null) return ok({ backendType: '', backend: {} })
  if (!isJsonObject(value)) return badBackend(`it must be an object, found ${text}`)
  let backendType = ''
  for (const { text: typeText } of knownMembers(text, ['Type'])) {
    const type = parseJson(typeText)
    if (typeof type === 'string') backendType = type
    else if (type !== null) return badBackend(`its Type must be a string, found ${typeText}`)
  }
  return ok({ backendType, backend: value })
}

function readSwitch(
  members: ConfigMembers,
  field: 'enableIpv4' | 'enableIpv6' | 'enableNftables',
  text: string,
  name: string,
): Result<ConfigMembers, ConfigProblem> {
  if (text === 'null') return ok(members)
  if (text !== 'true' && text !== 'false') return badType(name, text, 'true or false')
  return ok({ ...members, [field]: text === 'true' })
}

/** Digits only, below 2^64; `null` changes nothing. */
function readLength(text: string, before: number): number | undefined {
  if (text === 'null') return before
  return /^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n ? Number(text) : undefined
}

const badJson = (text: string): Result<never, ConfigProblem> =>
  err({ kind: 'bad-json', text, hint: 'write an object such as {"Network": "10.5.0.0/16"}' })

const badType = (name: string, found: string, expected: string): Result<never, ConfigProblem> =>
  err({ kind: 'bad-json', text: `${name} must be ${expected}, found ${found}`, hint: `correct ${name}` })

const badCidr = (name: string, found: string, example: string): Result<never, ConfigProblem> =>
  err({
    kind: 'bad-cidr',
    text: `invalid CIDR address: ${unquoted(found)}`,
    hint: `write ${name} as an address and a length, such as "${example}"`,
  })

const badIp = (name: string, found: string, example: string): Result<never, ConfigProblem> =>
  err({
    kind: 'bad-ip',
    text: `Invalid IP address format: ${name} is ${found}`,
    hint: `write ${name} as an address, such as "${example}"`,
  })

const badBackend = (text: string): Result<never, ConfigProblem> =>
  err({
    kind: 'bad-backend',
    text: `error decoding Backend property of config: ${text}`,
    hint: 'write Backend as an object with a Type, such as {"Type": "vxlan"}',
  })
