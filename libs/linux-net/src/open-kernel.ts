/** The {@link Kernel} of this machine, through `ip`, `bridge`, and `nft` or `iptables`. */
import { Batches } from './batches.ts'
import { openFilter } from './kernel-filter.ts'
import { KnownNetwork } from './known-network.ts'
import { startMonitor } from './monitor.ts'
import { parseMonitorLine } from './monitor-line.ts'
import { observeNetwork } from './observe.ts'
import { RouteLookups } from './route-lookups.ts'
import type { ProgramHost } from './run-program.ts'
import type { NetworkCommand } from './state/command.ts'
import { removal } from './state/diff.ts'
import type { FilterMode } from './state/filter.ts'
import type { Failure, Kernel, KernelChange, KernelFilter, RouteLookup } from './state/kernel.ts'
import type { NetworkState } from './state/network-state.ts'
import type { Ownership } from './state/ownership.ts'
import { PendingChange } from './state/pending-change.ts'

/** How to open the kernel. */
export type KernelOptions = ProgramHost & {
  /** Where filter rules go; absent: iptables where the host uses it, else nft, else iptables. */
  readonly filterMode?: FilterMode
}

/** Most lines of the monitor that wait while commands run or a look is taken. */
const linesMax = 50_000

/**
 * Opens the kernel's network for one overlay: a port knows one ownership, that of its last look. The long-lived `ip`
 * starts at once, `bridge` and the monitor with the first `changes`.
 *
 * @throws LinuxNetError `linux-net/program-missing`
 */
export async function openKernel(options: KernelOptions): Promise<Kernel> {
  const batches = new Batches(options)
  try {
    await batches.start()
  } catch (error) {
    await batches[Symbol.asyncDispose]()
    throw error
  }
  return new SystemKernel(options, batches)
}

class SystemKernel implements Kernel {
  readonly filter: KernelFilter
  readonly #host: ProgramHost
  readonly #batches: Batches
  readonly #lookups: RouteLookups
  readonly #listeners = new Set<PendingChange>()
  /** The last of those who look or change; they take turns. */
  #turn: Promise<unknown> = Promise.resolve()
  #busy = false
  #heard: string[] = []
  #known: KnownNetwork | undefined
  /** The look before somebody interfered: still good to tell what concerns us. */
  #before: KnownNetwork | undefined
  #devicesChanged = false
  #monitor: AsyncDisposable | undefined
  #monitorError: { readonly error: unknown } | undefined

  constructor(options: KernelOptions, batches: Batches) {
    this.#host = options
    this.#batches = batches
    this.#lookups = new RouteLookups(options)
    this.filter = openFilter(options)
  }

  observe(ownership: Ownership, signal?: AbortSignal): Promise<NetworkState> {
    return this.#alone(async () => {
      const ipv6 = ownership.networks.some((network) => network.includes(':'))
      const forwarding = ownership.devices.some(({ kind }) => kind === 'vxlan')
      const state = await observeNetwork(this.#host, { ipv6, forwarding, signal })
      // the programs keep the numbers of devices that may be others of the same name now
      const before = new Map(this.#before?.state().links.map(({ name, index }) => [name, index]))
      // without a number it is a device that the programs made and have looked up since
      if (state.links.some(({ name, index }) => ![undefined, index].includes(before.get(name))))
        this.#devicesChanged = true
      this.#known = new KnownNetwork(state, ownership)
      this.#before = this.#known
      return state
    })
  }

  known(): NetworkState | undefined {
    return this.#known?.state()
  }

  apply(commands: readonly NetworkCommand[], signal?: AbortSignal): Promise<readonly Failure[]> {
    return this.#alone(async () => {
      signal?.throwIfAborted()
      if (commands.length === 0) return []
      if (this.#devicesChanged) {
        this.#devicesChanged = false
        this.#batches.forgetDevices()
        await this.#lookups.forgetDevices()
      }
      const failures = await this.#applyAll(commands)
      const failed = new Set(failures.map(({ command }) => command))
      for (const command of commands) {
        if (!failed.has(command)) this.#known?.follow(command)
      }
      // a new device has a MAC, addresses and routes that only a look can tell
      const certain = failures.length === 0 && !commands.some(({ kind }) => kind === 'add-link' || kind === 'set-link')
      if (!certain) this.#known = undefined
      return failures
    })
  }

  async #applyAll(commands: readonly NetworkCommand[]): Promise<readonly Failure[]> {
    try {
      return await this.#batches.apply(commands)
    } catch (error) {
      // how far it came, nobody knows
      this.#known = undefined
      throw error
    }
  }

  async *changes(signal: AbortSignal): AsyncGenerator<KernelChange, void, undefined> {
    // who waits for changes will soon have something to change
    this.#batches.warm()
    this.#monitor ??= startMonitor(this.#host, {
      onLine: (line) => this.#onLine(line),
      onGap: (why) => this.#tell({ kind: 'unknown', text: why }),
      onError: (error) => {
        this.#monitorError = { error }
        this.#tell({ kind: 'unknown', text: 'the watch on the kernel has failed' })
      },
    })
    const mine = new PendingChange()
    this.#listeners.add(mine)
    try {
      for await (const change of mine.until(signal)) {
        if (this.#monitorError !== undefined) throw this.#monitorError.error
        yield change
      }
    } finally {
      this.#listeners.delete(mine)
    }
  }

  routeTo(address: string, signal?: AbortSignal): Promise<RouteLookup | undefined> {
    signal?.throwIfAborted()
    // without a monitor nobody would say that an answer is out of date
    if (this.#monitor === undefined) this.#lookups.forget()
    return this.#lookups.find(address)
  }

  async removeAll(ownership: Ownership, signal?: AbortSignal): Promise<readonly Failure[]> {
    const { commands } = removal(await this.observe(ownership, signal), ownership)
    const failures = await this.apply(commands, signal)
    for (const network of ownership.networks) await this.filter.remove(network, signal)
    return failures
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn
    await Promise.all([
      this.#batches[Symbol.asyncDispose](),
      this.#lookups[Symbol.asyncDispose](),
      this.#monitor?.[Symbol.asyncDispose](),
    ])
  }

  /** One at a time; what the monitor says meanwhile is judged afterwards, when it is known what we did ourselves. */
  #alone<Value>(work: () => Promise<Value>): Promise<Value> {
    const result = this.#turn.then(async () => {
      this.#busy = true
      try {
        return await work()
      } finally {
        this.#busy = false
        const heard = this.#heard
        this.#heard = []
        for (const line of heard) this.#onLine(line)
      }
    })
    this.#turn = result.catch(() => undefined)
    return result
  }

  #onLine(line: string): void {
    if (this.#busy) {
      if (this.#heard.length < linesMax) this.#heard.push(line)
      else this.#tell({ kind: 'unknown', text: 'more changes than can be kept' })
      return
    }
    const event = parseMonitorLine(line)
    if (event === undefined || this.#known?.isNews(event) === false) return
    if (event.kind === 'link' && this.#isRemembered(event)) this.#devicesChanged = true
    const leadsElsewhere = event.kind === 'link' || event.kind === 'address' || event.kind === 'route'
    const answersMatter = leadsElsewhere && this.#lookups.inUse
    if (leadsElsewhere) this.#lookups.forget()
    if (answersMatter || this.#before?.concerns(event) === true) this.#tell({ kind: event.kind, text: line.trim() })
  }

  /**
   * Whether a program may have kept the number of the link, under its name or under the one that it had. Containers come
   * and go with links of their own: the programs are not started anew for each.
   */
  #isRemembered({ device, index }: { readonly device: string; readonly index: number }): boolean {
    const before = this.#before?.state().links.find((link) => link.index === index)?.name
    return this.#lookups.isStarted || this.#batches.hasNamed(device) || this.#batches.hasNamed(before ?? device)
  }

  #tell(change: KernelChange): void {
    this.#known = undefined
    for (const listener of this.#listeners) listener.add(change)
  }
}
