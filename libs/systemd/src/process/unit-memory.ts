/**
 * What the supervisor must still know of a unit when it is killed and another takes its place: one JSON file per unit,
 * replaced in one step. What was written in another boot, or in another container, is worth nothing.
 */
import { mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ProcessIdentity, readProcess } from './process-table.ts'
import {
  type CommandPlace,
  execKeys,
  type ProcessExit,
  type ServiceState,
  serviceResults,
  serviceSubStates,
} from './service-machine.ts'

export type TimerState = {
  readonly subState: 'dead' | 'waiting' | 'running' | 'elapsed' | 'failed'
  readonly activeMs: number
  readonly lastTriggerMs: number | undefined
}

export type UnitMemory = {
  readonly service: ServiceState
  /** A target or slice that was started. */
  readonly isUp: boolean
  readonly timer: TimerState
  /** Of units without processes; a service has its own. */
  readonly invocationId: string | undefined
  readonly leaders: readonly ProcessIdentity[]
  /** Name of the program in the log. */
  readonly program: string
  /** Monotonic times at which the unit last began to start, and last had ended. */
  readonly leftInactiveMs: number | undefined
  readonly enteredInactiveMs: number | undefined
}

/** Where the files of a running unit are: its memory and its pipe. */
export const runDirectory = (directory: string, unit: string): string => join(directory, 'run', unit)

/** What makes PIDs and monotonic times comparable: this boot, this namespace of processes, this first process. */
export function processEpoch(): string {
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return `${bootId} ${readlinkSync('/proc/self/ns/pid')} ${readProcess(1)?.startTicks ?? 0}`
}

export function writeMemory(directory: string, unit: string, memory: UnitMemory): void {
  const folder = runDirectory(directory, unit)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, 'state.json')
  // no sync: it must outlive this process, not the machine
  writeFileSync(`${path}.writing`, JSON.stringify(memory), { mode: 0o600 })
  renameSync(`${path}.writing`, path)
}

export const forgetUnit = (directory: string, unit: string): void =>
  rmSync(runDirectory(directory, unit), { recursive: true, force: true })

/** The memory of a unit; undefined when there is none, or none that can be read. */
export function readMemory(directory: string, unit: string): UnitMemory | undefined {
  try {
    return parseMemory(JSON.parse(readFileSync(join(runDirectory(directory, unit), 'state.json'), 'utf8')))
  } catch {
    // never written, or by somebody else: the unit counts as one that never ran
    return undefined
  }
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const numberIn = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined)
const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function parseMemory(value: unknown): UnitMemory | undefined {
  if (!isFields(value) || !isFields(value['service']) || !isFields(value['timer'])) return undefined
  const service = parseService(value['service'])
  if (service === undefined) return undefined
  const timer = value['timer']
  const timerState = (['dead', 'waiting', 'running', 'elapsed', 'failed'] as const).find(
    (state) => state === timer['subState'],
  )
  const leaders: readonly unknown[] = Array.isArray(value['leaders']) ? value['leaders'] : []
  return {
    service,
    isUp: value['isUp'] === true,
    timer: {
      subState: timerState ?? 'dead',
      activeMs: numberIn(timer['activeMs']) ?? 0,
      lastTriggerMs: numberIn(timer['lastTriggerMs']),
    },
    invocationId: textIn(value['invocationId']),
    leaders: leaders.filter(isIdentity),
    program: textIn(value['program']) ?? '',
    leftInactiveMs: numberIn(value['leftInactiveMs']),
    enteredInactiveMs: numberIn(value['enteredInactiveMs']),
  }
}

const isIdentity = (value: unknown): value is ProcessIdentity =>
  isFields(value) && typeof value['pid'] === 'number' && typeof value['startTicks'] === 'number'

function parseService(value: Fields): ServiceState | undefined {
  const subState = serviceSubStates.find((known) => known === value['subState'])
  const result = serviceResults.find((known) => known === value['result'])
  if (subState === undefined || result === undefined) return undefined
  const since = value['startsSince']
  return {
    subState,
    result,
    mainPid: numberIn(value['mainPid']),
    controlPid: numberIn(value['controlPid']),
    mainCommand: parsePlace(value['mainCommand']),
    controlCommand: parsePlace(value['controlCommand']),
    mainExit: parseExit(value['mainExit']),
    deadlineMs: numberIn(value['deadlineMs']),
    upSinceMs: numberIn(value['upSinceMs']),
    stopAsked: value['stopAsked'] === true,
    invocationId: textIn(value['invocationId']),
    startsSince: isFields(since)
      ? { sinceMs: numberIn(since['sinceMs']) ?? 0, count: numberIn(since['count']) ?? 0 }
      : undefined,
    restarts: numberIn(value['restarts']) ?? 0,
  }
}

function parsePlace(value: unknown): CommandPlace | undefined {
  if (!isFields(value)) return undefined
  const key = execKeys.find((known) => known === value['key'])
  return key === undefined ? undefined : { key, index: numberIn(value['index']) ?? 0 }
}

function parseExit(value: unknown): ProcessExit | undefined {
  if (!isFields(value)) return undefined
  if (value['kind'] === 'exited') return { kind: 'exited', status: numberIn(value['status']) ?? 0 }
  if (value['kind'] === 'killed') return { kind: 'killed', signal: numberIn(value['signal']) ?? 0 }
  return value['kind'] === 'unknown' ? { kind: 'unknown' } : undefined
}
