/** One change of the kernel's state, and its text for `ip -batch`, `bridge -batch` and for people. */
import type { Address, ForwardingEntry, Link, Neighbour, Route } from './network-state.ts'

/** One change. All but `add-link` may be repeated without harm: taking away what is absent counts as done. */
export type NetworkCommand =
  | { readonly kind: 'add-link'; readonly link: Link }
  | { readonly kind: 'delete-link'; readonly device: string }
  | {
      readonly kind: 'set-link'
      readonly device: string
      readonly mtu?: number
      readonly mac?: string
      readonly alias?: string
      readonly up?: boolean
    }
  | { readonly kind: 'add-address'; readonly address: Address }
  | { readonly kind: 'delete-address'; readonly address: Address }
  | { readonly kind: 'replace-route'; readonly route: Route }
  | { readonly kind: 'delete-route'; readonly route: Route }
  | { readonly kind: 'replace-neighbour'; readonly neighbour: Neighbour }
  | { readonly kind: 'delete-neighbour'; readonly neighbour: Neighbour }
  | { readonly kind: 'replace-forwarding-entry'; readonly entry: ForwardingEntry }
  | { readonly kind: 'delete-forwarding-entry'; readonly entry: ForwardingEntry }

/** The program that understands a command. */
export const programOf = (command: NetworkCommand): 'ip' | 'bridge' =>
  command.kind === 'replace-forwarding-entry' || command.kind === 'delete-forwarding-entry' ? 'bridge' : 'ip'

/** A command as a line of a batch, without the name of the program: `route replace 10.5.2.0/24 via …`. */
export function batchLine(command: NetworkCommand): string {
  switch (command.kind) {
    case 'add-link':
      return words(
        `link add ${command.link.name} mtu ${command.link.mtu}`,
        command.link.mac && `address ${command.link.mac}`,
        linkType(command.link),
      )
    case 'delete-link':
      return `link delete ${command.device}`
    case 'set-link':
      return words(
        `link set dev ${command.device}`,
        command.mtu !== undefined && `mtu ${command.mtu}`,
        command.mac && `address ${command.mac}`,
        command.alias !== undefined && `alias ${command.alias}`,
        command.up !== undefined && (command.up ? 'up' : 'down'),
      )
    case 'add-address':
      // Where a prefix leads is said by a route of ours: the kernel need not add one of its own.
      return words(
        `address replace ${command.address.address} dev ${command.address.device}`,
        !/\/(32|128)$/.test(command.address.address) && 'noprefixroute',
      )
    case 'delete-address':
      return `address delete ${command.address.address} dev ${command.address.device}`
    case 'replace-route':
      return `route replace ${routeWords(command.route)}`
    case 'delete-route':
      return `route delete ${routeWords(command.route)}`
    case 'replace-neighbour':
      return `neighbour replace ${command.neighbour.ip} lladdr ${command.neighbour.mac} dev ${command.neighbour.device} nud permanent`
    case 'delete-neighbour':
      return `neighbour delete ${command.neighbour.ip} dev ${command.neighbour.device}`
    case 'replace-forwarding-entry':
      return `fdb replace ${command.entry.mac} dev ${command.entry.device} dst ${command.entry.remote} self permanent`
    case 'delete-forwarding-entry':
      return `fdb delete ${command.entry.mac} dev ${command.entry.device} dst ${command.entry.remote} self`
    default:
      return command satisfies never
  }
}

/** A command as a line that a person can paste into a shell: `ip route replace 10.5.2.0/24 via …`. */
export const commandText = (command: NetworkCommand): string => `${programOf(command)} ${batchLine(command)}`

function linkType({ vxlan, kind }: Link): string {
  if (vxlan === undefined) return `type ${kind}`
  return words(
    `type vxlan id ${vxlan.vni}`,
    vxlan.underlay && `dev ${vxlan.underlay}`,
    vxlan.local && `local ${vxlan.local}`,
    `dstport ${vxlan.port}`,
    vxlan.learning ? 'learning' : 'nolearning',
    vxlan.gbp && 'gbp',
  )
}

const routeWords = (route: Route): string =>
  words(
    route.type,
    route.destination,
    route.gateway && `via ${route.gateway}`,
    route.device && `dev ${route.device}`,
    route.source && `src ${route.source}`,
    route.protocol && `proto ${route.protocol}`,
    route.scope && `scope ${route.scope}`,
    route.metric !== undefined && `metric ${route.metric}`,
    route.onlink && 'onlink',
  )

const words = (...parts: readonly (string | false | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== false && part !== '').join(' ')
