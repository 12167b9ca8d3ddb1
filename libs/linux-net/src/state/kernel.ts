/** The port to a machine's kernel: look, change, hear of changes. The real one is `openKernel`, the fake `createModelKernel`. */
import type { NetworkCommand } from './command.ts'
import type { FilterMode, ObservedFilter, OverlayFilter } from './filter.ts'
import type { NetworkState } from './network-state.ts'
import type { Ownership } from './ownership.ts'

/** Why a command had no effect. */
export type FailureReason =
  /** The process may not change the network. */
  | 'no-permission'
  /** The kernel lacks the device type: its module is not there. */
  | 'unsupported'
  /** The device of the command is not there. */
  | 'no-device'
  /** The next hop is not on a link. */
  | 'unreachable'
  /** Somebody else has this already. */
  | 'exists'
  /** Not tried, because making its device failed before. */
  | 'skipped'
  | 'other'

/** One command that had no effect. */
export type Failure = {
  readonly command: NetworkCommand
  readonly reason: FailureReason
  /** What the kernel or the program said. */
  readonly text: string
  /** What to do, where we know. */
  readonly hint?: string
}

/** The way to an address as the kernel would choose it now. */
export type RouteLookup = {
  /** Absent: the address is on the link itself, or is the machine's own. */
  readonly gateway?: string
  readonly device: string
  readonly source?: string
}

/** Something changed that this kernel port did not do itself: look again. */
export type KernelChange = {
  readonly kind: 'link' | 'address' | 'route' | 'neighbour' | 'forwarding' | 'unknown'
  /** What the monitor printed, for the log. */
  readonly text: string
}

/** The filter's half of the port. All of it is idempotent. */
export interface KernelFilter {
  /** Which packet filter the rules go into; decided once, at the first use. */
  mode(signal?: AbortSignal): Promise<FilterMode>
  /** What is there of the rules of one network. */
  observe(network: string, signal?: AbortSignal): Promise<ObservedFilter>
  /**
   * Makes the rules of one network what they should be, in one transaction; no effect when they are so already.
   *
   * @returns the lines that were missing or too many; empty when nothing had to be done
   */
  sync(filter: OverlayFilter, signal?: AbortSignal): Promise<readonly string[]>
  /** Takes away all rules of one network, in every packet filter there is. */
  remove(network: string, signal?: AbortSignal): Promise<void>
}

/**
 * A machine's kernel.
 *
 * Level-triggered: `changes` only says that a look is due. After a look, `known` follows the port's own commands, so
 * that a peer's change costs no look: `apply(diff(desired, kernel.known() ?? await kernel.observe(…), ownership).commands)`.
 */
export interface Kernel extends AsyncDisposable {
  /**
   * A full look: all links and addresses, the main table's routes, the neighbours and forwarding entries of the
   * ownership's devices. Rejects rather than answer with less.
   */
  observe(ownership: Ownership, signal?: AbortSignal): Promise<NetworkState>
  /**
   * The last look, and what was applied since. `undefined` before the first look, after a command failed, and after
   * `changes` told of anything: then a look is due.
   */
  known(): NetworkState | undefined
  /** Applies the commands in their order; one that fails does not stop the others. */
  apply(commands: readonly NetworkCommand[], signal?: AbortSignal): Promise<readonly Failure[]>
  /** Changes by others, several at once as one. Ends when the signal fires; what was missed in between is said as `unknown`. */
  changes(signal: AbortSignal): AsyncIterable<KernelChange>
  /** The way to an address; `undefined`: there is none. Answers are kept until a link, an address or a route changes. */
  routeTo(address: string, signal?: AbortSignal): Promise<RouteLookup | undefined>
  /** Deletes everything that the ownership says is ours: devices, addresses, routes, neighbours, entries, and the networks' rules. */
  removeAll(ownership: Ownership, signal?: AbortSignal): Promise<readonly Failure[]>
  readonly filter: KernelFilter
}
