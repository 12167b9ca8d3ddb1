/**
 * Keeps what is ours in the kernel as it should be. One way to every state: look, compare, change. A change of somebody's
 * lease needs no look, because the port knows what it did since the last one; a look comes every ten seconds, and soon
 * after the kernel tells of a change by others.
 */
import {
  commandText,
  diff,
  type Failure,
  type Kernel,
  type NetworkCommand,
  type NetworkState,
  type Ownership,
  type Refusal,
  type Route,
} from '@cluster/linux-net/state'
import { type Clock, createDoorbell, isClusterError } from '@cluster/prelude'
import type { FlannelEvents } from './events.ts'
import { inScope, type Scope } from './scope.ts'

export type KernelKeeperOptions = {
  readonly kernel: Kernel
  readonly ownership: () => Ownership
  /** What should be there, and where it may differ from the last answer; without `scope`: anywhere. */
  readonly desired: () => { readonly state: NetworkState; readonly scope?: Scope }
  /** Everything was looked at; called before `desired`. */
  readonly onLook: (state: NetworkState) => void
  readonly lookIntervalMs: number
  readonly clock: Clock
  readonly events: FlannelEvents
}

export type KernelKeeper = {
  /** What should be there has changed. */
  readonly ring: () => void
  readonly run: (signal: AbortSignal) => Promise<void>
  /** Resolves with `true` when all devices and addresses are in place and every peer was tried; `false` on the signal. */
  readonly programmed: (signal: AbortSignal) => Promise<boolean>
  /** Whether devices and addresses were in place after the last change or look. */
  readonly isSound: () => boolean
  readonly lastLookMs: () => number | undefined
  readonly repairs: () => number
  /** Commands that the kernel refuses now, and things that we refuse to do, as text. */
  readonly failures: () => readonly string[]
}

/** A look follows a change by others after this: changes come in flocks. */
const settleMs = 200
/** Looks that changes ask for are at least this far apart. */
const looksApartMs = 1000
const repairsShownMax = 10
/** Refused commands that are told one by one: without a right, the kernel refuses those of thousands of machines. */
const refusalsToldMax = 10

export function createKernelKeeper(options: KernelKeeperOptions): KernelKeeper {
  const { kernel, ownership, desired, onLook, lookIntervalMs, clock, events } = options
  const doorbell = createDoorbell(clock)
  const waiting = new Set<() => void>()
  let isDirty = false
  let isProgrammed = false
  let isSound = false
  let lookAtMs = Number.NEGATIVE_INFINITY
  let lastLookMs: number | undefined
  let lastDesired: NetworkState | undefined
  let failures = new Map<string, string>()
  /** Commands without effect, with those that were not tried because they hang on another. */
  let undone: ReadonlySet<string> = new Set()
  let repairs = 0
  let looksFail = false

  const lookSoon = (): void => {
    const earliestMs = lastLookMs === undefined ? 0 : lastLookMs + looksApartMs
    lookAtMs = Math.min(lookAtMs, Math.max(clock.monotonicMs() + settleMs, earliestMs))
    doorbell.ring()
  }

  async function look(signal: AbortSignal): Promise<NetworkState> {
    const state = await kernel.observe(ownership(), signal)
    lastLookMs = clock.monotonicMs()
    lookAtMs = lastLookMs + lookIntervalMs
    onLook(state)
    return state
  }

  async function round(signal: AbortSignal): Promise<void> {
    const startedMs = clock.monotonicMs()
    isDirty = false
    const known = startedMs >= lookAtMs ? undefined : kernel.known()
    const state = known ?? (await look(signal))
    const { state: target, scope } = desired()
    // What we did since the last look is known, and only what changed since then needs to be compared.
    const plan =
      known === undefined || scope === undefined
        ? diff(target, state, ownership())
        : diff(inScope(target, scope), inScope(state, scope), ownership())
    const refused = plan.commands.length === 0 ? [] : await kernel.apply(plan.commands, signal)
    const undoneBefore = undone
    noteFailures(refused, plan.refusals, known === undefined || scope === undefined)
    if (lastDesired !== undefined && known === undefined && plan.commands.length > 0) {
      tellRepairs(diff(lastDesired, state, ownership()).commands, undoneBefore)
    }
    lastDesired = target
    events.programmed({
      seconds: (clock.monotonicMs() - startedMs) / 1000,
      commands: plan.commands.length,
      why: known === undefined ? 'look' : 'leases',
    })
    isSound = !refused.some(({ command }) => isFundamental(command)) && !plan.refusals.some(isForeignDevice)
    if (isSound && !isProgrammed) {
      isProgrammed = true
      for (const tell of waiting) tell()
    }
  }

  /** What differs from what was wanted, and done, before: somebody else did that. What could not be done is no repair. */
  function tellRepairs(differences: readonly NetworkCommand[], undoneBefore: ReadonlySet<string>): void {
    const commands = differences.map(commandText).filter((text) => !undone.has(text) && !undoneBefore.has(text))
    if (commands.length === 0) return
    repairs += commands.length
    events.repaired({ commands: commands.slice(0, repairsShownMax), count: commands.length })
  }

  function noteFailures(refused: readonly Failure[], refusals: readonly Refusal[], isComplete: boolean): void {
    const now = new Map(isComplete ? [] : failures)
    for (const { command, reason, text, hint } of refused) {
      // what hangs on a device that could not be made is no news beside the device
      if (reason !== 'skipped') now.set(commandText(command), hint === undefined ? text : `${text} (${hint})`)
    }
    for (const refusal of refusals) now.set(...refusalText(refusal))
    const news = [...now].filter(([command, reason]) => failures.get(command) !== reason)
    for (const [command, reason] of news.slice(0, refusalsToldMax)) events.kernelRefused({ command, reason })
    const untold = news.length - refusalsToldMax
    if (untold > 0) events.kernelRefused({ command: `${untold} more commands`, reason: 'see flanneld status' })
    failures = now
    undone = new Set([...now.keys(), ...refused.map(({ command }) => commandText(command))])
  }

  async function watchKernel(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const _change of kernel.changes(signal)) lookSoon()
      } catch (error) {
        if (signal.aborted) return
        events.lookFailed(error)
      }
      // The looks every ten seconds go on meanwhile; what was missed is found by one.
      await clock.sleep(lookIntervalMs, signal)
      lookSoon()
    }
  }

  return {
    ring() {
      isDirty = true
      doorbell.ring()
    },
    async run(signal) {
      const watching = watchKernel(signal)
      while (!signal.aborted) {
        try {
          if (isDirty || clock.monotonicMs() >= lookAtMs) await round(signal)
          looksFail = false
        } catch (error) {
          if (signal.aborted) break
          // While it works, an upgrade may take a program away for a moment; at the start nobody brings it by waiting.
          if (!isProgrammed && isClusterError(error, 'linux-net/program-missing')) throw error
          if (!looksFail) events.lookFailed(error)
          looksFail = true
          // Not known what is there now: nothing is changed before a look succeeds.
          lookAtMs = clock.monotonicMs() + looksApartMs
          await clock.sleep(looksApartMs, signal)
        }
        if (!isDirty) await doorbell.wait(lookAtMs - clock.monotonicMs(), signal)
      }
      await watching
    },
    programmed: (signal) =>
      new Promise((resolve) => {
        if (isProgrammed || signal.aborted) return resolve(isProgrammed)
        const done = (): void => {
          waiting.delete(done)
          signal.removeEventListener('abort', done)
          resolve(isProgrammed)
        }
        waiting.add(done)
        signal.addEventListener('abort', done, { once: true })
      }),
    isSound: () => isSound,
    lastLookMs: () => lastLookMs,
    repairs: () => repairs,
    failures: () => [...failures].map(([command, reason]) => `${command}: ${reason}`),
  }
}

/** Without these nothing works; a peer that fails concerns that peer only. */
const isFundamental = ({ kind }: NetworkCommand): boolean =>
  kind === 'add-link' || kind === 'set-link' || kind === 'add-address'

const isForeignDevice = ({ kind }: Refusal): boolean => kind === 'foreign-device'

/** A refusal as what was wanted and why it is not done. */
export const refusalText = (refusal: Refusal): readonly [what: string, why: string] =>
  refusal.kind === 'foreign-device'
    ? [`device ${refusal.link.name}`, refusal.why]
    : [`route ${refusal.route.destination}`, `${existingText(refusal.existing)} of this machine is in its place`]

const existingText = ({ type, destination, device }: Route): string =>
  [type, destination, device && `dev ${device}`].filter(Boolean).join(' ')
