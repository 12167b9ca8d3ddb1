/** What the kernel port knows between two looks: the last look, its own commands since, and whether others interfered. */
import type { MonitorEvent } from './monitor-line.ts'
import type { NetworkCommand } from './state/command.ts'
import { ModelNetwork } from './state/model-network.ts'
import type { NetworkState } from './state/network-state.ts'
import type { Ownership } from './state/ownership.ts'
import { containsPrefix, type Prefix, parsePrefix } from './state/prefix.ts'

/** A look that follows commands, and judges whether an event is news. */
export class KnownNetwork {
  readonly #model: ModelNetwork
  readonly #networks: readonly Prefix[]
  readonly #ours: ReadonlySet<string>
  readonly #underlay: string | undefined

  constructor(state: NetworkState, { networks, devices, underlay }: Ownership) {
    this.#model = new ModelNetwork(state)
    this.#networks = networks.flatMap((network) => parsePrefix(network) ?? [])
    this.#ours = new Set(devices.map(({ name }) => name))
    this.#underlay = underlay
  }

  state(): NetworkState {
    return this.#model.state()
  }

  /** A command that the kernel has done. */
  follow(command: NetworkCommand): void {
    this.#model.apply(command)
  }

  /** Whether an event can matter: our devices, the link below, destinations and addresses inside our networks. */
  concerns(event: MonitorEvent): boolean {
    switch (event.kind) {
      case 'link':
        return this.#ours.has(event.device) || event.device === this.#underlay
      case 'address':
        return this.#ours.has(event.device) || event.device === this.#underlay || this.#inside(event.address)
      case 'route':
        // fe80::/64 and the like come and go with each device
        if (this.#inside(event.destination)) return true
        return event.protocol !== 'kernel' && event.device !== undefined && this.#ours.has(event.device)
      case 'neighbour':
      case 'forwarding':
        return this.#ours.has(event.device)
      default:
        return event satisfies never
    }
  }

  /** Whether an event says anything but what is known: the echo of an own command does not. */
  isNews(event: MonitorEvent): boolean {
    switch (event.kind) {
      case 'link': {
        const link = this.#model.link(event.device)
        if (event.gone || link === undefined) return event.gone !== (link === undefined)
        return link.mtu !== event.mtu || link.up !== event.up
      }
      case 'address':
        return this.#model.hasAddress(event.device, event.address) === event.gone
      case 'route': {
        const known = this.#model.routesTo(event.destination).some(({ gateway, device, protocol }) => {
          // the kernel chose the link of a route that was made without one
          const same = gateway === event.gateway && (device === undefined || device === event.device)
          return same && (protocol === event.protocol || event.protocol === 'unknown')
        })
        return known === event.gone
      }
      case 'neighbour': {
        const known = this.#model.neighbour(event.device, event.ip)
        // what the kernel finds out by itself is no news; that it has forgotten what we told it, is
        if (event.gone || !event.permanent) return known !== undefined
        return known?.mac !== event.mac
      }
      case 'forwarding': {
        const known = this.#model.forwarding(event.device, event.mac).some(({ remote }) => remote === event.remote)
        return known === event.gone
      }
      default:
        return event satisfies never
    }
  }

  #inside(text: string): boolean {
    const prefix = parsePrefix(text)
    return prefix !== undefined && this.#networks.some((network) => containsPrefix(network, prefix))
  }
}
