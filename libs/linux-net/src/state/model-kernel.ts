/** The fake {@link Kernel}: a model of a machine's network in memory, for tests of whatever is written against the port. */
import { batchLine, type NetworkCommand } from './command.ts'
import { removal } from './diff.ts'
import { type FilterMode, filterLines, filterPlan, type ObservedFilter, type OverlayFilter } from './filter.ts'
import type { Failure, Kernel, KernelChange, KernelFilter, RouteLookup } from './kernel.ts'
import { ModelNetwork } from './model-network.ts'
import { emptyState, type NetworkState } from './network-state.ts'
import type { Ownership } from './ownership.ts'
import { PendingChange } from './pending-change.ts'
import { containsPrefix, parsePrefix } from './prefix.ts'

/** What a test sees and does beside the port. */
export interface ModelKernel extends Kernel {
  /** Everything that is there. */
  state(): NetworkState
  /** The rules by network. */
  filters(): ReadonlyMap<string, OverlayFilter>
  /** Somebody else changes something: an administrator, another program. `changes` tells. */
  disturb(...commands: readonly NetworkCommand[]): void
  /** Somebody else takes the rules of a network away. */
  dropFilter(network: string): void
  /** Every command that was applied, as the line it would be in a batch. */
  readonly applied: readonly string[]
}

/** How the model differs from a kernel that does what it is told. */
export type ModelKernelOptions = {
  readonly initial?: NetworkState
  readonly filterMode?: FilterMode
  /** Commands that fail, and how; asked before each one. */
  readonly fail?: (command: NetworkCommand) => Omit<Failure, 'command'> | undefined
  /** A rejection of the next look, such as a kernel that cannot be read. */
  readonly failObserve?: () => Error | undefined
}

/** A kernel in memory that obeys as the real one does. New devices get the MAC `02:00:00:00:00:NN`. */
export function createModelKernel(options: ModelKernelOptions = {}): ModelKernel {
  const network = new ModelNetwork(options.initial ?? emptyState)
  const filters = new Map<string, OverlayFilter>()
  const mode = options.filterMode ?? 'nft'
  const applied: string[] = []
  const pending = new Set<PendingChange>()
  let looked = false
  let devices = 0

  const perform = (command: NetworkCommand): Omit<Failure, 'command'> | undefined => {
    if (command.kind !== 'add-link' || command.link.mac !== undefined) return network.apply(command)
    devices += 1
    const mac = `02:00:00:00:00:${devices.toString(16).padStart(2, '0')}`
    return network.apply({ ...command, link: { ...command.link, mac } })
  }
  const tell = (change: KernelChange): void => {
    looked = false
    for (const one of pending) one.add(change)
  }

  const filter: KernelFilter = {
    mode: async () => mode,
    observe: async (name): Promise<ObservedFilter> => {
      const wanted = filters.get(name)
      return { mode, lines: wanted === undefined ? [] : filterLines(wanted, mode) }
    },
    sync: async (wanted) => {
      const { differences } = filterPlan(wanted, await filter.observe(wanted.network))
      filters.set(wanted.network, wanted)
      return differences
    },
    remove: async (name) => void filters.delete(name),
  }

  const apply = async (commands: readonly NetworkCommand[]): Promise<readonly Failure[]> =>
    commands.flatMap((command) => {
      applied.push(batchLine(command))
      const failure = options.fail?.(command) ?? perform(command)
      if (failure !== undefined) looked = false
      return failure === undefined ? [] : [{ command, ...failure }]
    })

  return {
    state: () => network.state(),
    filters: () => filters,
    applied,
    filter,
    apply,
    disturb: (...commands) => {
      for (const command of commands) {
        perform(command)
        tell({ kind: changeKind(command), text: batchLine(command) })
      }
    },
    dropFilter: (name) => void filters.delete(name),
    observe: async () => {
      const error = options.failObserve?.()
      if (error !== undefined) throw error
      looked = true
      return network.state()
    },
    known: () => (looked ? network.state() : undefined),
    async *changes(signal) {
      const mine = new PendingChange()
      pending.add(mine)
      try {
        yield* mine.until(signal)
      } finally {
        pending.delete(mine)
      }
    },
    routeTo: async (address) => lookup(network.state(), address),
    removeAll: async (ownership: Ownership) => {
      for (const name of ownership.networks) filters.delete(name)
      return apply(removal(network.state(), ownership).commands)
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** The longest prefix wins, then the lowest metric: what the main table says, without rules and other tables. */
function lookup({ routes, addresses }: NetworkState, address: string): RouteLookup | undefined {
  const target = parsePrefix(address)
  if (target === undefined) return undefined
  const [best] = routes
    .flatMap((route) => {
      const prefix = parsePrefix(route.destination)
      return prefix !== undefined && containsPrefix(prefix, target) ? [{ route, length: prefix.length }] : []
    })
    .toSorted((a, b) => b.length - a.length || (a.route.metric ?? 0) - (b.route.metric ?? 0))
  const device = best?.route.device
  if (best === undefined || device === undefined || best.route.type !== undefined) return undefined
  const { gateway } = best.route
  const source = best.route.source ?? addresses.find((candidate) => candidate.device === device)?.address.split('/')[0]
  return { device, ...(gateway === undefined ? {} : { gateway }), ...(source === undefined ? {} : { source }) }
}

function changeKind({ kind }: NetworkCommand): KernelChange['kind'] {
  switch (kind) {
    case 'add-link':
    case 'delete-link':
    case 'set-link':
      return 'link'
    case 'add-address':
    case 'delete-address':
      return 'address'
    case 'replace-route':
    case 'delete-route':
      return 'route'
    case 'replace-neighbour':
    case 'delete-neighbour':
      return 'neighbour'
    case 'replace-forwarding-entry':
    case 'delete-forwarding-entry':
      return 'forwarding'
    default:
      return kind satisfies never
  }
}
