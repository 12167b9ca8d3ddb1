/** The external interface of this machine: looks until there is one, or the time is over. */
import { isClusterError, type Logger, silentLogger } from '@cluster/prelude'
import { LinuxNetError } from './errors.ts'
import { observeNetwork } from './observe.ts'
import { RouteLookups } from './route-lookups.ts'
import type { ProgramHost } from './run-program.ts'
import { chooseExternalInterface, type ExternalInterface, type InterfaceOptions } from './state/external-interface.ts'
import type { RouteLookup } from './state/kernel.ts'

/** What to look for, and for how long. */
export type FindInterfaceOptions = ProgramHost &
  InterfaceOptions & {
    /** At boot the default route may come late: how long to wait for it, in milliseconds; default 0, one look. */
    readonly waitMs?: number
    readonly signal?: AbortSignal
    readonly log?: Logger
  }

/** Pause between two looks, in milliseconds. */
const pauseMs = 1000

/**
 * The link towards the other machines: by name, address, pattern, or way to an address; else that of the default route.
 *
 * @throws LinuxNetError `linux-net/no-interface` when the time is over; its message is the original's
 * @see flannel.md §6
 */
export async function findExternalInterface(options: FindInterfaceOptions): Promise<ExternalInterface> {
  const { clock, waitMs = 0, signal, log = silentLogger, canReach = [], family = 'ipv4' } = options
  const deadlineMs = clock.monotonicMs() + waitMs
  await using lookups = new RouteLookups(options)
  for (let look = 1; ; look += 1) {
    signal?.throwIfAborted()
    const state = await observeNetwork(options, { ipv6: family !== 'ipv4', forwarding: false, signal })
    lookups.forget()
    const ways = new Map<string, RouteLookup | undefined>()
    for (const address of canReach) ways.set(address, await wayTo(lookups, address))
    const chosen = chooseExternalInterface(options, state, ways)
    if (chosen.ok) {
      for (const warning of chosen.value.warnings) log.warn('several interfaces match', { warning })
      return chosen.value
    }
    const { message, tries } = chosen.error
    if (look === 1) for (const text of tries) log.info('no interface by this', { reason: text })
    if (clock.monotonicMs() >= deadlineMs) {
      throw new LinuxNetError('linux-net/no-interface', [message, ...tries].join('; '), {
        hint: 'name one with --iface NAME or --iface ADDRESS; ip address shows what there is',
      })
    }
    if (look === 1) log.info('waiting for an interface', { reason: message, waitMs })
    await clock.sleep(pauseMs, signal)
  }
}

/** What is no address at all cannot be reached either, and is said so among the tries. */
async function wayTo(lookups: RouteLookups, address: string): Promise<RouteLookup | undefined> {
  try {
    return await lookups.find(address)
  } catch (error) {
    if (isClusterError(error, 'linux-net/observation')) return undefined
    throw error
  }
}
