/** Which link and address a machine uses towards the others, flannel.md §6. */
import { err, ok, type Result } from '@cluster/prelude'
import type { RouteLookup } from './kernel.ts'
import type { Link, NetworkState } from './network-state.ts'
import { containsText, isAddress } from './prefix.ts'

/** What the operator said; with none of it the link of the default route is taken. */
export type InterfaceOptions = {
  /** Names or addresses, tried in order. */
  readonly interfaces?: readonly string[]
  /** Unanchored patterns, tried in order after all `interfaces`: each against every link's address, then against names. */
  readonly patterns?: readonly string[]
  /** Tried last: the link on the way to each of these addresses. */
  readonly canReach?: readonly string[]
  /** For the overlay over IPv6: the link's IPv6 address is needed, too. */
  readonly family?: 'ipv4' | 'ipv6' | 'both'
}

/** The chosen link. */
export type ExternalInterface = {
  readonly device: string
  readonly index: number
  readonly mtu: number
  /** Absent only when the overlay runs over IPv6 alone. */
  readonly address?: string
  readonly addressV6?: string
  /** What the operator should know: a pattern that several links match, and the like. */
  readonly warnings: readonly string[]
}

/** Why there is none: one line per try, the wording of the original. */
export type NoInterface = { readonly message: string; readonly tries: readonly string[] }

/**
 * The link of a machine towards the others.
 *
 * @param lookups the ways to the addresses of `canReach`; an address that is not in it cannot be reached
 */
export function chooseExternalInterface(
  options: InterfaceOptions,
  state: NetworkState,
  lookups: ReadonlyMap<string, RouteLookup | undefined> = new Map(),
): Result<ExternalInterface, NoInterface> {
  const { interfaces = [], patterns = [], canReach = [], family = 'ipv4' } = options
  const tries: (readonly [string, () => Choice])[] = [
    ...interfaces.map((text) => [text, () => byNameOrAddress(state, text)] as const),
    ...patterns.map((pattern) => [pattern, () => byPattern(state, pattern, family)] as const),
    ...canReach.map((address) => [address, () => byReach(state, address, lookups.get(address))] as const),
  ]
  if (tries.length === 0) {
    const found = complete(state, byDefaultRoute(state, family), family)
    return found.ok ? found : err({ message: `Failed to find any valid interface to use: ${found.error}`, tries: [] })
  }
  const failures: string[] = []
  for (const [text, choose] of tries) {
    const found = complete(state, choose(), family)
    if (found.ok) return found
    failures.push(`Could not find valid interface matching ${text}: ${found.error}`)
  }
  return err({
    message: 'Failed to find interface to use that matches the interfaces and/or regexes provided',
    tries: failures,
  })
}

type Family = NonNullable<InterfaceOptions['family']>
type Choice = Result<{ readonly link: Link; readonly address?: string; readonly warnings?: readonly string[] }, string>

function byNameOrAddress(state: NetworkState, text: string): Choice {
  if (isAddress(text)) {
    const holder = state.addresses.find(({ address }) => address.startsWith(`${text}/`))
    const link = state.links.find(({ name }) => name === holder?.device)
    return link === undefined ? err('No interface with given IP found') : ok({ link, address: text })
  }
  const link = state.links.find(({ name }) => name === text)
  return link === undefined ? err(`error looking up interface ${text}: no such network interface`) : ok({ link })
}

function byPattern(state: NetworkState, pattern: string, family: Family): Choice {
  let expression: RegExp
  try {
    expression = expressionOf(pattern)
  } catch (cause) {
    return err(`error compiling the regex '${pattern}': ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  const links = state.links.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0))
  const byAddress = links.flatMap((link) => {
    const address = addressOf(state, link, family === 'ipv6' ? 6 : 4)
    return address !== undefined && expression.test(address) ? [{ link, label: `${link.name} (${address})` }] : []
  })
  const byName = links.filter(({ name }) => expression.test(name)).map((link) => ({ link, label: link.name }))
  const matches = byAddress.length > 0 ? byAddress : byName
  const [first, ...others] = matches
  if (first === undefined) {
    const names = links.map(({ name }) => name).join(', ')
    return err(`Could not match pattern ${pattern} to any of the available network interfaces (${names})`)
  }
  const warnings =
    others.length === 0
      ? []
      : [
          `${pattern} matches ${matches.map(({ label }) => label).join(', ')}: ${first.link.name} is taken; patterns match anywhere in the text, write ^…$ for the whole`,
        ]
  return ok({ link: first.link, warnings })
}

function byReach(state: NetworkState, address: string, lookup: RouteLookup | undefined): Choice {
  const link = state.links.find(({ name }) => name === lookup?.device)
  if (lookup === undefined || link === undefined) return err(`no route to ${address}`)
  return ok({ link, ...(lookup.source === undefined ? {} : { address: lookup.source }) })
}

function byDefaultRoute(state: NetworkState, family: Family): Choice {
  const destination = family === 'ipv6' ? '::/0' : '0.0.0.0/0'
  // the kernel lists the lowest metric first
  const route = state.routes.find((candidate) => candidate.destination === destination && candidate.type === undefined)
  if (route === undefined) return err('Unable to find default route')
  const link = state.links.find(({ name }) => name === route.device)
  return link === undefined ? err('Found default route but could not determine interface') : ok({ link })
}

function complete(state: NetworkState, choice: Choice, family: Family): Result<ExternalInterface, string> {
  if (!choice.ok) return choice
  const { link, warnings = [] } = choice.value
  const given = choice.value.address
  const pick = (version: 4 | 6): string | undefined =>
    given !== undefined && given.includes(':') === (version === 6) ? given : addressOf(state, link, version)
  const address = family === 'ipv6' ? undefined : pick(4)
  const addressV6 = family === 'ipv4' ? undefined : pick(6)
  if (family !== 'ipv6' && address === undefined) return err(`failed to find IPv4 address for interface ${link.name}`)
  if (family !== 'ipv4' && addressV6 === undefined) return err(`failed to find IPv6 address for interface ${link.name}`)
  if (link.mtu === 0) return err(`failed to determine MTU for ${address ?? addressV6} interface`)
  return ok({
    device: link.name,
    index: link.index ?? 0,
    mtu: link.mtu,
    ...(address === undefined ? {} : { address }),
    ...(addressV6 === undefined ? {} : { addressV6 }),
    warnings,
  })
}

/** The first address that is valid everywhere, else the first link-local one, in the kernel's order. */
function addressOf({ addresses }: NetworkState, { name }: Link, version: 4 | 6): string | undefined {
  const ours = addresses
    .filter(({ device, address }) => device === name && address.includes(':') === (version === 6))
    .map(({ address }) => address.slice(0, address.indexOf('/')))
  const linkLocal = version === 4 ? '169.254.0.0/16' : 'fe80::/10'
  return (
    ours.find((address) => !notUnicast.some((prefix) => containsText(prefix, address))) ??
    ours.find((address) => containsText(linkLocal, address))
  )
}

const notUnicast: readonly string[] = [
  '0.0.0.0/32',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/127',
  'fe80::/10',
  'ff00::/8',
]

/** The original's patterns may begin with flags, `(?i)eth`, which are flags of the whole expression here. */
function expressionOf(pattern: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(pattern)
  return new RegExp(pattern.slice(flags?.[0].length ?? 0), flags?.[1] ?? '')
}
