/**
 * What a lab remembers of itself, in one file of its runtime folder. Written before each step that makes something,
 * so that taking down works after a crash at any point; all else follows from the lab's name (see names.ts).
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { LabError } from './errors.ts'
import type { LabNames, MachineIdentity } from './names.ts'
import type { StoreProgram } from './store-program.ts'

export type Bind = { readonly from: string; readonly to: string; readonly writable?: boolean }

export type MachineState = MachineIdentity & {
  readonly binds: readonly Bind[]
  /** Units that the machine's systemd starts at boot. */
  readonly wants: readonly string[]
}

export type LabState = {
  readonly format: 1
  readonly lab: string
  /** The process that keeps the lab for itself, if one does (the demonstration, a scenario run). */
  readonly ownerPid?: number | undefined
  /** Whether all machines came up. */
  readonly isComplete?: boolean
  readonly root?: string | undefined
  readonly store: StoreProgram
  readonly machines: readonly MachineState[]
}

/** The lab's state, or undefined when there is no lab of that name. */
export function readState(names: LabNames): LabState | undefined {
  if (!existsSync(names.stateFile)) return undefined
  try {
    const value: unknown = JSON.parse(readFileSync(names.stateFile, 'utf8'))
    if (isLabState(value)) return value
  } catch (cause) {
    throw damaged(names, cause)
  }
  throw damaged(names, undefined)
}

/** Writes the state whole or not at all. */
export function writeState(names: LabNames, state: LabState): void {
  mkdirSync(names.runtimeFolder, { recursive: true })
  const partial = `${names.stateFile}.new`
  writeFileSync(partial, `${JSON.stringify(state, null, 2)}\n`)
  renameSync(partial, names.stateFile)
}

/** Forgets the lab: its runtime folder with all in it, and the folder above when that is empty. */
export function removeRuntimeFolder(names: LabNames): void {
  rmSync(names.runtimeFolder, { recursive: true, force: true })
}

const damaged = (names: LabNames, cause: unknown): LabError =>
  new LabError('lab/damaged-state', `${names.stateFile} is not the state of a lab`, {
    hint: 'take the lab down and up again: "npm run lab -- down" needs only its name',
    cause,
  })

const isLabState = (value: unknown): value is LabState =>
  typeof value === 'object' &&
  value !== null &&
  'format' in value &&
  value.format === 1 &&
  'machines' in value &&
  Array.isArray(value.machines) &&
  'store' in value &&
  isStoreProgram(value.store)

const isStoreProgram = (value: unknown): value is StoreProgram =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  (value.kind === 'etcd' || (value.kind === 'kvd' && 'file' in value && typeof value.file === 'string'))
