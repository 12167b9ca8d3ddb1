/**
 * The overlay's rules in the host's packet filter: who is masqueraded, and that the overlay is forwarded. A table of our
 * own (nft) or chains of our own (iptables), named after the network, so that several networks live on one machine.
 * Semantics: the original's, flannel.md §8.
 */

/** Which packet filter holds the rules: nft, or iptables where the host already uses that. */
export type FilterMode = 'nft' | 'iptables'

/** What the filter has to do for one network. With neither of the two it is empty, and everything of ours goes. */
export type OverlayFilter = {
  /** The whole overlay: `10.5.0.0/16`. */
  readonly network: string
  /** This machine's part of it: `10.5.34.0/24`. */
  readonly subnet: string
  /**
   * From the overlay to elsewhere: masqueraded, multicast excepted. From elsewhere to other machines' subnets:
   * masqueraded. Inside the overlay and from elsewhere to the own subnet: left alone.
   */
  readonly masquerade: boolean
  /** From and to the overlay: accepted where packets are forwarded. */
  readonly forward: boolean
}

/** What the packet filter holds of one network's rules: lines as `nft` and `iptables-save` print them. */
export type ObservedFilter = {
  readonly mode: FilterMode
  /** nft: the table's lines. iptables: rules of our chains and jumps to them, each with its table in front. */
  readonly lines: readonly string[]
}

/** What to do about a filter: the lines that are missing (`+`) or too many (`-`), and the text that makes it right. */
export type FilterPlan = {
  /** Empty: all is as it should be, and there is no script. */
  readonly differences: readonly string[]
  /** For `nft -f -`, or for `iptables-restore --noflush`: one transaction per table. */
  readonly script: string
}

/** The names of what is ours in the packet filter, for one network. */
export type FilterNames = {
  readonly family: 'ip' | 'ip6'
  readonly table: string
  readonly masqueradeChain: string
  readonly forwardChain: string
}

/**
 * How our table and chains are called: `cluster-overlay-10.5.0.0-16`, `CLU-NAT-10.5.0.0-16`. Chain names of iptables have
 * at most 28 characters: IPv6 networks appear as a hash.
 */
export function filterNames(network: string): FilterNames {
  const v6 = network.includes(':')
  const name = v6 ? `v6-${hashText(network)}` : network.replace('/', '-')
  return {
    family: v6 ? 'ip6' : 'ip',
    table: `cluster-overlay-${name}`,
    masqueradeChain: `CLU-NAT-${name}`,
    forwardChain: `CLU-FWD-${name}`,
  }
}

/** The lines that {@link ObservedFilter} has when the filter is as it should be. */
export const filterLines = (filter: OverlayFilter, mode: FilterMode): readonly string[] =>
  mode === 'nft' ? nftLines(filter) : iptablesLines(filter)

/** What to do so that a network's rules become those of `filter`. */
export function filterPlan(filter: OverlayFilter, observed: ObservedFilter): FilterPlan {
  const lines = filterLines(filter, observed.mode)
  const differences = lineDifferences(lines, observed.lines)
  if (differences.length === 0) return { differences, script: '' }
  const script = observed.mode === 'nft' ? nftScript(filter, lines) : iptablesScript(filter, observed)
  return { differences, script }
}

/** The rules of our chains and the jumps to them, from what `iptables-save` prints. */
export function iptablesLinesOf(saved: string, network: string): readonly string[] {
  const { masqueradeChain, forwardChain } = filterNames(network)
  const lines: string[] = []
  let table = ''
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) table = line.slice(1).trim()
    const chain = table === 'nat' ? masqueradeChain : table === 'filter' ? forwardChain : undefined
    if (chain === undefined) continue
    if (line.startsWith(`:${chain} `)) lines.push(`${table} -N ${chain}`)
    else if (line.startsWith('-A ') && line.split(' ').includes(chain)) lines.push(`${table} ${line.trim()}`)
  }
  return lines
}

/** Whether somebody filters with iptables here: any rule, chain of their own or closed policy in what `iptables-save` prints. */
export const usesIptables = (saved: string): boolean =>
  saved.split('\n').some((line) => line.startsWith('-A ') || /^:\S+ (-|DROP|REJECT) /.test(line))

function nftLines({ network, subnet, masquerade, forward }: OverlayFilter): readonly string[] {
  const { family, table } = filterNames(network)
  if (!masquerade && !forward) return []
  const [source, target] = [`${family} saddr`, `${family} daddr`]
  const masqueradeChain = [
    'chain postrouting {',
    'type nat hook postrouting priority srcnat; policy accept;',
    `${source} ${network} ${target} ${network} accept`,
    `${source} ${network} ${target} != ${multicast(family)} masquerade`,
    `${source} != ${network} ${target} ${subnet} accept`,
    `${source} != ${network} ${target} ${network} masquerade`,
    '}',
  ]
  const forwardChain = [
    'chain forward {',
    'type filter hook forward priority filter; policy accept;',
    `${source} ${network} accept`,
    `${target} ${network} accept`,
    '}',
  ]
  return [`table ${family} ${table} {`, ...(masquerade ? masqueradeChain : []), ...(forward ? forwardChain : []), '}']
}

/** A table that exists cannot be replaced by its text: it is made if absent, deleted, and made, all in one transaction. */
function nftScript({ network }: OverlayFilter, lines: readonly string[]): string {
  const { family, table } = filterNames(network)
  return [`table ${family} ${table} { }`, `delete table ${family} ${table}`, ...lines, ''].join('\n')
}

/**
 * In a chain of our own RETURN would go on with the rules of others: what is to be left alone is accepted, which ends the
 * nat table for the packet as the original's RETURN in POSTROUTING does.
 */
function iptablesLines({ network, subnet, masquerade, forward }: OverlayFilter): readonly string[] {
  const { family, masqueradeChain, forwardChain } = filterNames(network)
  const nat = [
    `nat -N ${masqueradeChain}`,
    `nat -A POSTROUTING -j ${masqueradeChain}`,
    `nat -A ${masqueradeChain} -s ${network} -d ${network} -j ACCEPT`,
    `nat -A ${masqueradeChain} -s ${network} ! -d ${multicast(family)} -j MASQUERADE`,
    `nat -A ${masqueradeChain} ! -s ${network} -d ${subnet} -j ACCEPT`,
    `nat -A ${masqueradeChain} ! -s ${network} -d ${network} -j MASQUERADE`,
  ]
  const filter = [
    `filter -N ${forwardChain}`,
    `filter -A FORWARD -j ${forwardChain}`,
    `filter -A ${forwardChain} -s ${network} -j ACCEPT`,
    `filter -A ${forwardChain} -d ${network} -j ACCEPT`,
  ]
  return [...(masquerade ? nat : []), ...(forward ? filter : [])]
}

/**
 * The jump to the masquerading goes to the front, ahead of Docker's own; the one to the forwarding to the end, so that an
 * administrator's rules still count and only the policy (DROP, where Docker runs) is overruled. A jump that is there once
 * stays where it is.
 */
function iptablesScript(filter: OverlayFilter, { lines: observed }: ObservedFilter): string {
  const { masqueradeChain, forwardChain } = filterNames(filter.network)
  const wanted = iptablesLines(filter)
  const section = (table: string, chain: string, jump: string): readonly string[] => {
    const rules = wanted.filter((line) => line.startsWith(`${table} -A ${chain} `))
    const target = wanted.find((line) => line.startsWith(`${table} -A `) && line.endsWith(` -j ${chain}`))
    const jumps = observed.filter(
      (line) => line.startsWith(`${table} -A `) && !line.startsWith(`${table} -A ${chain} `),
    )
    const there = observed.includes(`${table} -N ${chain}`)
    if (rules.length === 0 && !there) return []
    const jumpsStay = target !== undefined && jumps.length === 1 && jumps[0] === target
    return [
      `*${table}`,
      // declared anew, a chain is emptied
      `:${chain} - [0:0]`,
      ...rules.map((line) => line.slice(table.length + 1)),
      ...(jumpsStay ? [] : jumps.map((line) => line.slice(table.length + 1).replace(/^-A /, '-D '))),
      ...(jumpsStay || rules.length === 0 ? [] : [jump]),
      ...(rules.length === 0 ? [`-X ${chain}`] : []),
      'COMMIT',
    ]
  }
  return [
    ...section('nat', masqueradeChain, `-I POSTROUTING 1 -j ${masqueradeChain}`),
    ...section('filter', forwardChain, `-A FORWARD -j ${forwardChain}`),
    '',
  ].join('\n')
}

/** Missing and surplus lines; with the same lines in another order within a chain, all of them. */
function lineDifferences(wanted: readonly string[], observed: readonly string[]): readonly string[] {
  const chainOf = (line: string): string => (/^\w+ -[AN] /.test(line) ? line.split(' ').slice(0, 3).join(' ') : '')
  const byChain = (lines: readonly string[]): string =>
    lines.toSorted((a, b) => (chainOf(a) < chainOf(b) ? -1 : chainOf(a) > chainOf(b) ? 1 : 0)).join('\n')
  if (byChain(wanted) === byChain(observed)) return []
  const without = (lines: readonly string[], others: readonly string[]): readonly string[] => {
    const left = [...others]
    return lines.filter((line) => {
      const at = left.indexOf(line)
      if (at >= 0) left.splice(at, 1)
      return at < 0
    })
  }
  const lines = [
    ...without(wanted, observed).map((line) => `+ ${line}`),
    ...without(observed, wanted).map((line) => `- ${line}`),
  ]
  return lines.length > 0 ? lines : wanted.map((line) => `+ ${line}`)
}

const multicast = (family: 'ip' | 'ip6'): string => (family === 'ip' ? '224.0.0.0/4' : 'ff00::/8')

/** FNV-1a, eight hex digits. */
function hashText(text: string): string {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}
