/**
 * "This machine is here": its key in the registry, written anew before it can expire. Source: spec/fleet.md §6.4,
 * traps 1, 43, 44. Nothing else of the daemon starts before the machine is registered for the first time.
 */
import type { KvEntry, Revision } from '@cluster/kv'
import { type Clock, createDoorbell, type Random } from '@cluster/prelude'
import { FleetError } from '../errors.ts'
import type { FleetEvents } from '../events.ts'
import type { ObservedCluster } from '../observed-cluster.ts'
import { decodeMachine, encodeMachine, type MachineObject } from '../registry/codec.ts'
import type { Registry } from '../registry/registry.ts'
import type { StoreHealth } from '../store-health.ts'
import type { LocalMemory } from './local-record.ts'

export type Presence = {
  /** Registers and keeps registered until the signal fires. The key is left to expire: see `leave`. */
  readonly run: (signal: AbortSignal) => Promise<void>
  /** Resolves once registered; `false` when the signal fired before. */
  readonly registered: (signal: AbortSignal) => Promise<boolean>
  /** Whether the registration is certain to stand now: the last beat is younger than the TTL. */
  readonly isCurrent: () => boolean
  /** What the last beat failed with, while none has succeeded since. */
  readonly trouble: () => unknown
  /** Writes the key again now: what the machine says of itself has changed. */
  readonly refresh: () => void
  /** Removes the key, so that nobody waits for it to expire. */
  readonly leave: (signal: AbortSignal) => Promise<void>
}

export type PresenceOptions = {
  readonly registry: Registry
  /** What the machine says of itself, asked before every beat. */
  readonly machine: () => MachineObject
  readonly ttlSeconds: number
  readonly memory: LocalMemory
  readonly observed: ObservedCluster
  readonly health: StoreHealth
  readonly events: FleetEvents
  readonly clock: Clock
  readonly random: Random
}

export function createPresence(options: PresenceOptions): Presence {
  const { registry, machine, ttlSeconds, memory, observed, health, events, clock, random } = options
  const ttlMs = ttlSeconds * 1000
  const doorbell = createDoorbell(clock)
  const ownId = machine().id
  let isRegistered = false
  let currentUntilMs = Number.NEGATIVE_INFINITY
  /** A write whose outcome is unknown: the key found afterwards may be ours. */
  let inDoubt: string | undefined
  let refusedSinceMs: number | undefined
  let trouble: unknown
  let onRegistered: (() => void)[] = []

  observed.onChange(({ meanings }) => {
    const isOwn = meanings.some((meaning) => meaning.kind === 'machine' && meaning.machine === ownId)
    if (isOwn && observed.view()?.machines.has(ownId) !== true) doorbell.ring()
  })

  const hold = (revision: Revision, askedMs: number, how: 'new' | 'resumed' | 'again' | 'beat'): void => {
    health.succeeded()
    trouble = undefined
    inDoubt = undefined
    refusedSinceMs = undefined
    currentUntilMs = askedMs + ttlMs
    memory.remember({ presenceRevision: revision })
    observed.wrote(revision)
    if (how !== 'beat') events.registered({ machine: ownId, how })
    isRegistered = true
    const waiting = onRegistered
    onRegistered = []
    for (const resolve of waiting) resolve()
  }

  /** Whether the key that stands there was written by this machine, in this or an earlier life of the daemon. */
  const isOurs = (found: KvEntry): boolean =>
    found.revision === memory.record().presenceRevision || found.value === inDoubt

  const beat = async (signal: AbortSignal): Promise<void> => {
    const self = machine()
    const askedMs = clock.monotonicMs()
    try {
      if (isRegistered) {
        const refreshed = await registry.refreshMachine(self, ttlSeconds, signal)
        if (refreshed.ok) return hold(refreshed.value, askedMs, 'beat')
      }
      // Not registered yet, or the key has gone: expired during an outage, or deleted by somebody.
      const created = await registry.createMachine(self, ttlSeconds, signal)
      if (created.ok) return hold(created.value, askedMs, isRegistered ? 'again' : 'new')
      health.succeeded()
      const found = created.error.found ?? (await registry.readMachine(ownId, signal))
      if (found !== undefined && isOurs(found)) {
        const resumed = await registry.resumeMachine(self, ttlSeconds, found.revision, signal)
        if (resumed.ok) return hold(resumed.value, askedMs, isRegistered ? 'again' : 'resumed')
      }
      refuse(found)
    } catch (error) {
      health.failed()
      inDoubt = encodeMachine(self)
      throw error
    }
  }

  /** Says once what stands in the way, and once more when it has outlived what a crash can leave behind. */
  const refuse = (found: KvEntry | undefined): void => {
    const nowMs = clock.monotonicMs()
    const isFirst = refusedSinceMs === undefined
    refusedSinceMs ??= nowMs
    const isAlive = nowMs - refusedSinceMs > ttlMs + 1000
    if (!isFirst && !isAlive) return
    if (isAlive) refusedSinceMs = Number.POSITIVE_INFINITY
    const other = found === undefined ? undefined : decodeMachine(found.value)
    const at = other?.ok === true && other.value.publicIp !== '' ? ` at ${other.value.publicIp}` : ''
    const reason = isAlive
      ? new FleetError('fleet/machine-id-in-use', `another live machine${at} uses the machine ID ${ownId}`, {
          hint: 'give this machine an ID of its own: rm /etc/machine-id, systemd-machine-id-setup, reboot',
        })
      : new FleetError('fleet/machine-id-in-use', `a key of machine ${ownId}${at} stands in the registry`, {
          hint: `if it is of an earlier run of this daemon it expires within ${ttlSeconds} s`,
        })
    events.registrationRefused({ machine: ownId, reason: `${reason.message}; ${reason.hint}` })
  }

  return {
    async run(signal) {
      let failures = 0
      while (!signal.aborted) {
        let waitMs: number
        try {
          await beat(signal)
          failures = 0
          waitMs = refusedSinceMs === undefined ? ttlMs / 3 : 1000
        } catch (error) {
          if (signal.aborted) return
          trouble = error
          if (failures === 0) events.beatFailed(error)
          failures += 1
          waitMs = Math.min(2000, 250 * 2 ** Math.min(failures, 10)) * (0.5 + random.next() / 2)
        }
        await doorbell.wait(waitMs, signal)
      }
    },
    registered(signal) {
      if (isRegistered) return Promise.resolve(true)
      return new Promise((resolve) => {
        onRegistered.push(() => resolve(true))
        signal.addEventListener('abort', () => resolve(false), { once: true })
        if (signal.aborted) resolve(false)
      })
    },
    isCurrent: () => isRegistered && refusedSinceMs === undefined && clock.monotonicMs() < currentUntilMs,
    trouble: () => trouble,
    refresh: doorbell.ring,
    leave: (signal) => registry.removeMachine(ownId, signal),
  }
}
