/**
 * What the kernel does with our commands, as a model: the base of the fake kernel, and how the real port follows its own
 * commands between two looks.
 */
import type { NetworkCommand } from './command.ts'
import type { FailureReason } from './kernel.ts'
import {
  type Address,
  type ForwardingEntry,
  type Link,
  type Neighbour,
  type NetworkState,
  type Route,
  routeKey,
} from './network-state.ts'
import { isConnected } from './ownership.ts'
import { containsPrefix, type Prefix, parsePrefix } from './prefix.ts'

/** Why the model's kernel does not do a command. */
export type ModelRefusal = { readonly reason: FailureReason; readonly text: string }

/** A machine's network that changes with each command. */
export class ModelNetwork {
  readonly #links = new Map<string, Link>()
  readonly #addresses = new Map<string, Address>()
  /** Several by destination and metric, in the kernel's order. */
  readonly #routes = new Map<string, readonly Route[]>()
  readonly #neighbours = new Map<string, Neighbour>()
  readonly #forwarding = new Map<string, readonly ForwardingEntry[]>()
  #state: NetworkState | undefined
  /** The links' own routes; we make none of them. */
  #connected: readonly { readonly device: string | undefined; readonly prefix: Prefix | undefined }[] | undefined

  constructor(state: NetworkState) {
    for (const link of state.links) this.#links.set(link.name, link)
    for (const address of state.addresses) this.#addresses.set(`${address.device} ${address.address}`, address)
    for (const route of state.routes) append(this.#routes, routeKey(route), route)
    for (const neighbour of state.neighbours) this.#neighbours.set(neighbourKey(neighbour), neighbour)
    for (const entry of state.forwarding) append(this.#forwarding, entryKey(entry), entry)
  }

  /** What is there now. The same value until the next command that has an effect. */
  state(): NetworkState {
    this.#state ??= {
      links: [...this.#links.values()],
      addresses: [...this.#addresses.values()],
      routes: flattened(this.#routes),
      neighbours: [...this.#neighbours.values()],
      forwarding: flattened(this.#forwarding),
    }
    return this.#state
  }

  /** The routes to a destination, whatever their metric. */
  routesTo(destination: string): readonly Route[] {
    const usual = this.#routes.get(destination)
    return usual ?? this.state().routes.filter((route) => route.destination === destination)
  }

  neighbour(device: string, ip: string): Neighbour | undefined {
    return this.#neighbours.get(`${device} ${ip}`)
  }

  forwarding(device: string, mac: string): readonly ForwardingEntry[] {
    return this.#forwarding.get(`${device} ${mac}`) ?? []
  }

  link(name: string): Link | undefined {
    return this.#links.get(name)
  }

  hasAddress(device: string, address: string): boolean {
    return this.#addresses.has(`${device} ${address}`)
  }

  /** Does a command as the kernel would. `undefined`: done, or nothing had to be done. */
  apply(command: NetworkCommand): ModelRefusal | undefined {
    this.#state = undefined
    switch (command.kind) {
      case 'add-link':
        if (this.#links.has(command.link.name)) return { reason: 'exists', text: 'RTNETLINK answers: File exists' }
        if (this.#isUnderlayMissing(command.link)) {
          return { reason: 'no-device', text: `Cannot find device "${command.link.vxlan?.underlay}"` }
        }
        if (this.#isVniTaken(command.link)) {
          return { reason: 'exists', text: 'Error: A VXLAN device with the specified VNI already exists.' }
        }
        this.#links.set(command.link.name, { ...command.link, up: false })
        return undefined
      case 'delete-link':
        this.#deleteLink(command.device)
        return undefined
      case 'set-link':
        return this.#setLink(command)
      case 'add-address':
        return this.#on(command.address.device, () =>
          this.#addresses.set(`${command.address.device} ${command.address.address}`, command.address),
        )
      case 'delete-address':
        this.#addresses.delete(`${command.address.device} ${command.address.address}`)
        return undefined
      case 'replace-route': {
        const device = command.route.device ?? this.#deviceTowards(command.route.gateway)
        const route = device === undefined ? command.route : { ...command.route, device }
        const replace = (): void => {
          const [, ...others] = this.#routes.get(routeKey(route)) ?? []
          this.#routes.set(routeKey(route), [route, ...others])
        }
        return device === undefined ? void replace() : this.#onUp(device, replace)
      }
      case 'delete-route':
        remove(this.#routes, routeKey(command.route), (route) => sameTarget(route, command.route))
        return undefined
      case 'replace-neighbour':
        return this.#on(command.neighbour.device, () =>
          this.#neighbours.set(neighbourKey(command.neighbour), { ...command.neighbour, permanent: true }),
        )
      case 'delete-neighbour':
        this.#neighbours.delete(neighbourKey(command.neighbour))
        return undefined
      case 'replace-forwarding-entry': {
        const { entry } = command
        return this.#on(entry.device, () => {
          const there = this.forwarding(entry.device, entry.mac)
          if (there.some(({ remote }) => remote === entry.remote)) return
          this.#forwarding.set(entryKey(entry), [entry, ...there.slice(1)])
        })
      }
      case 'delete-forwarding-entry':
        remove(this.#forwarding, entryKey(command.entry), ({ remote }) => remote === command.entry.remote)
        return undefined
      default:
        return command satisfies never
    }
  }

  #isUnderlayMissing({ vxlan }: Link): boolean {
    return vxlan?.underlay !== undefined && !this.#links.has(vxlan.underlay)
  }

  /** The kernel tells packets apart by VNI and port; two devices on different links may share both, which we never ask for. */
  #isVniTaken({ vxlan }: Link): boolean {
    if (vxlan === undefined) return false
    return [...this.#links.values()].some((link) => link.vxlan?.vni === vxlan.vni && link.vxlan.port === vxlan.port)
  }

  /** The kernel deletes the vxlan devices over a link with it. */
  #deleteLink(device: string): void {
    this.#links.delete(device)
    this.#forget(device)
    for (const { name, vxlan } of [...this.#links.values()]) if (vxlan?.underlay === device) this.#deleteLink(name)
  }

  #setLink(command: NetworkCommand & { readonly kind: 'set-link' }): ModelRefusal | undefined {
    return this.#on(command.device, (link) => {
      const { mtu = link.mtu, mac = link.mac, alias = link.alias, up = link.up } = command
      if (link.up && !up) this.#forgetRoutes(link.name)
      this.#links.set(link.name, {
        ...link,
        mtu,
        up,
        ...(mac === undefined ? {} : { mac }),
        ...(alias === undefined ? {} : { alias }),
      })
    })
  }

  #on(device: string, change: (link: Link) => unknown): ModelRefusal | undefined {
    const link = this.#links.get(device)
    if (link === undefined) return { reason: 'no-device', text: `Cannot find device "${device}"` }
    change(link)
    return undefined
  }

  #onUp(device: string, change: () => void): ModelRefusal | undefined {
    const link = this.#links.get(device)
    if (link !== undefined && !link.up) return { reason: 'unreachable', text: 'RTNETLINK answers: Network is down' }
    return this.#on(device, change)
  }

  /** The link that a gateway is on: the kernel puts it into a route that was made without one. */
  #deviceTowards(gateway: string | undefined): string | undefined {
    const target = gateway === undefined ? undefined : parsePrefix(gateway)
    if (target === undefined) return undefined
    this.#connected ??= [...this.#routes.values()]
      .flat()
      .filter(isConnected)
      .flatMap(({ destination, device }) => ({ device, prefix: parsePrefix(destination) }))
    return this.#connected.find(({ prefix }) => prefix !== undefined && containsPrefix(prefix, target))?.device
  }

  #forget(device: string): void {
    this.#forgetRoutes(device)
    for (const map of [this.#addresses, this.#neighbours]) {
      for (const [key, value] of map) if (value.device === device) map.delete(key)
    }
    for (const [key, [first]] of this.#forwarding) if (first?.device === device) this.#forwarding.delete(key)
  }

  #forgetRoutes(device: string): void {
    this.#connected = undefined
    for (const key of [...this.#routes.keys()]) remove(this.#routes, key, (route) => route.device === device)
  }
}

const neighbourKey = ({ device, ip }: Neighbour): string => `${device} ${ip}`
const entryKey = ({ device, mac }: ForwardingEntry): string => `${device} ${mac}`

/** Whether a route is meant by the words of a deletion, which may leave out some. */
const sameTarget = (a: Route, b: Route): boolean =>
  (b.gateway === undefined || a.gateway === b.gateway) &&
  (b.device === undefined || a.device === b.device) &&
  (b.protocol === undefined || a.protocol === b.protocol)

/** In a loop: with thousands of keys, `flat` takes several times as long. */
function flattened<Value>(map: ReadonlyMap<string, readonly Value[]>): readonly Value[] {
  const all: Value[] = []
  for (const values of map.values()) for (const value of values) all.push(value)
  return all
}

function append<Value>(map: Map<string, readonly Value[]>, key: string, value: Value): void {
  map.set(key, [...(map.get(key) ?? []), value])
}

function remove<Value>(map: Map<string, readonly Value[]>, key: string, goes: (value: Value) => boolean): void {
  const rest = (map.get(key) ?? []).filter((value) => !goes(value))
  if (rest.length === 0) map.delete(key)
  else map.set(key, rest)
}
