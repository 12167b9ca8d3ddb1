/** What must be known before anything is done: the network's configuration and the link to the other machines. */
import type { Clock, Random } from '@cluster/prelude'
import { type NetworkConfig, parseIp4, parseNetworkConfig } from '@cluster/subnet'
import { FlannelError } from './errors.ts'
import type { FlannelEvents } from './events.ts'
import type { ExternalInterface, FindExternal } from './external.ts'
import type { Keyspace } from './keyspace.ts'
import type { NetworkView } from './network-view.ts'

/** The configuration in a text, or what is wrong with it. */
export type ConfigFinding =
  | { readonly kind: 'config'; readonly config: NetworkConfig; readonly warnings: readonly string[] }
  | { readonly kind: 'problem'; readonly problem: string }

/** Reads the configuration key's value; only what this program can carry is a configuration. */
export function readConfig(text: string | undefined): ConfigFinding {
  if (text === undefined) return { kind: 'problem', problem: 'the key does not exist' }
  const parsed = parseNetworkConfig(text)
  if (!parsed.ok) return { kind: 'problem', problem: `${parsed.error.text} (${parsed.error.hint})` }
  const { config, warnings } = parsed.value
  if (!config.enableIpv4 || config.ipv6 !== undefined) {
    return { kind: 'problem', problem: 'it asks for IPv6, and this program carries IPv4 only (leave out EnableIPv6)' }
  }
  return { kind: 'config', config, warnings }
}

/** The first usable configuration, however long it takes; `undefined` when the signal fired. Problems are told once each. */
export async function awaitConfig(
  view: NetworkView,
  keyspace: Keyspace,
  events: FlannelEvents,
  signal: AbortSignal,
): Promise<NetworkConfig | undefined> {
  let told: string | undefined
  while (!signal.aborted) {
    if (view.isKnown()) {
      const finding = readConfig(view.configText())
      if (finding.kind === 'config') {
        for (const warning of finding.warnings) events.configWarning(warning)
        return finding.config
      }
      if (finding.problem !== told) events.configProblem({ key: keyspace.config, problem: finding.problem })
      told = finding.problem
    }
    await view.next(signal)
  }
  return undefined
}

const backOff = { firstMs: 200, longestMs: 5000 }

/**
 * The external interface, as soon as there is one: after a boot the default route may come later than we do.
 *
 * @returns `undefined` when the signal fired
 * @throws FlannelError `flannel/no-external-interface` after the deadline
 */
export async function awaitExternal(
  {
    findExternal,
    deadlineMs,
    clock,
    random,
    events,
  }: {
    readonly findExternal: FindExternal
    readonly deadlineMs: number
    readonly clock: Clock
    readonly random: Random
    readonly events: FlannelEvents
  },
  signal: AbortSignal,
): Promise<ExternalInterface | undefined> {
  const startedMs = clock.monotonicMs()
  for (let failures = 0; !signal.aborted; failures++) {
    try {
      return checkExternal(await findExternal(signal))
    } catch (cause) {
      if (signal.aborted) return undefined
      const leftMs = deadlineMs - (clock.monotonicMs() - startedMs)
      if (leftMs <= 0) {
        throw new FlannelError(
          'flannel/no-external-interface',
          `no external interface within ${Math.round(deadlineMs / 1000)} s`,
          { cause, hint: 'name it with --iface, or bring up a default route' },
        )
      }
      if (failures === 0) events.externalMissing(cause)
      const longestMs = Math.min(backOff.longestMs, backOff.firstMs * 2 ** Math.min(failures, 20))
      await clock.sleep(Math.min(leftMs, longestMs * (0.5 + random.next() / 2)), signal)
    }
  }
  return undefined
}

/** @throws FlannelError `flannel/no-external-interface` when an address is none */
export function checkExternal(external: ExternalInterface): ExternalInterface {
  for (const [name, text] of [
    ['interface address', external.interfaceAddress],
    ['public address', external.publicIp],
  ] as const) {
    if (parseIp4(text) === undefined) {
      throw new FlannelError(
        'flannel/no-external-interface',
        `the ${name} ${JSON.stringify(text)} is no IPv4 address`,
        {
          hint: 'give an address such as 10.78.0.11',
        },
      )
    }
  }
  return external
}
