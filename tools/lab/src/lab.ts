/**
 * A whole lab: its network, its store and its machines, from nothing to nothing.
 */
import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { dirname } from 'node:path'
import {
  type CgroupHost,
  freezeGroup,
  groupFolders,
  hostCgroups,
  isFrozen,
  killGroup,
  processesOf,
  removeGroup,
  thawGroup,
} from './cgroups.ts'
import type { CommandResult } from './command.ts'
import { LabError } from './errors.ts'
import {
  bootMachine,
  cutPower,
  type ExecOptions,
  execInMachine,
  leaderOf,
  leaderOrThrow,
  machineGroup,
  powerOff,
  removeNspawnTraces,
} from './machine.ts'
import { type LabNames, type MachineIdentity, nspawnName } from './names.ts'
import {
  createNetwork,
  cutLink,
  cutStoreLink,
  isLinked,
  isStoreLinked,
  removeNetwork,
  restoreLink,
  restoreStoreLink,
} from './network.ts'
import type { Progress } from './progress.ts'
import { type LabState, type MachineState, readState, removeRuntimeFolder, writeState } from './state.ts'
import {
  fillStoreDisk,
  freeStoreDisk,
  freezeStore,
  killStore,
  removeStoreDisk,
  slowStore,
  startStore,
  stopStore,
  storeCondition,
  thawStore,
} from './store.ts'
import type { StoreKind, StoreProgram } from './store-program.ts'

export type MachineCondition = 'up' | 'frozen' | 'cut off' | 'down'

export type LabStatus = {
  readonly lab: string
  readonly store: MachineCondition
  readonly storeProgram: StoreKind
  readonly machines: readonly (MachineIdentity & { readonly condition: MachineCondition })[]
}

/** A lab that is up. All methods take a machine's name (`m1`) and throw LabError. */
export type Lab = {
  readonly names: LabNames
  readonly machines: readonly MachineIdentity[]
  /** Runs a command inside and gives what it said, whatever its exit code. */
  readonly exec: (machine: string, command: readonly string[], options?: ExecOptions) => Promise<CommandResult>
  /** Runs a command inside that must succeed, and gives its stdout. */
  readonly run: (machine: string, command: readonly string[], options?: ExecOptions) => Promise<string>
  /** Where the host reaches a path inside a machine that is up. */
  readonly pathInto: (machine: string, path: string) => string
  /** Pulls the plug; gives the moment, in monotonic milliseconds. */
  readonly kill: (machine: string) => Promise<number>
  /** Boots a machine that is down, with the identity and the binds it had. */
  readonly boot: (machine: string) => Promise<void>
  /** Shuts down in order and boots again. Only bound folders survive. */
  readonly reboot: (machine: string) => Promise<void>
  readonly freeze: (machine: string) => Promise<void>
  readonly thaw: (machine: string) => Promise<void>
  /** Takes the machine off the network; nothing in it is told. */
  readonly cut: (machine: string) => Promise<void>
  readonly restore: (machine: string) => Promise<void>
  readonly freezeStore: () => Promise<void>
  readonly thawStore: () => Promise<void>
  readonly killStore: () => Promise<void>
  readonly startStore: () => Promise<void>
  /** Ends it in order. */
  readonly stopStore: () => Promise<void>
  /** Takes the store off the machines' network; nobody is told. */
  readonly cutStore: () => Promise<void>
  readonly restoreStore: () => Promise<void>
  /** Holds the store still nine tenths of the time, until the signal fires. Resolves when it runs freely again. */
  readonly slowStore: (signal: AbortSignal) => Promise<void>
  readonly fillStoreDisk: () => Promise<void>
  readonly freeStoreDisk: () => Promise<void>
  readonly status: () => Promise<LabStatus>
}

export type LabPlan = {
  readonly root: string
  readonly store: StoreProgram
  readonly machines: readonly MachineState[]
  readonly ownerPid?: number | undefined
}

/**
 * Makes a lab: network, store, then all machines at once.
 * What it has made when it fails is left for `takeDown`, which the caller owes.
 */
export async function bringUp(names: LabNames, plan: LabPlan, progress: Progress, signal?: AbortSignal): Promise<Lab> {
  const host = hostCgroups()
  // Written ahead of everything it names: a crash from here on leaves nothing that takeDown cannot find.
  writeState(names, { format: 1, lab: names.lab, ...plan })
  const startMs = performance.now()
  progress.step('network …')
  await createNetwork(names)
  signal?.throwIfAborted()
  progress.step('store …')
  await startStore(host, names, plan.store)
  progress.done(`store: ${plan.store.kind}, answers after ${seconds(startMs)}`)
  signal?.throwIfAborted()
  const bootMs = performance.now()
  let booted = 0
  await Promise.all(
    plan.machines.map(async (machine) => {
      await bootMachine(host, names, plan.root, machine)
      booted += 1
      progress.step(`machines: ${booted} of ${plan.machines.length} booted`)
    }),
  )
  progress.done(`machines: ${plan.machines.length} booted in ${seconds(bootMs)}`)
  signal?.throwIfAborted()
  writeState(names, { format: 1, lab: names.lab, isComplete: true, ...plan })
  return openLab(names)
}

/**
 * The lab of that name, as it is up now.
 *
 * @throws LabError `lab/not-up`
 */
export function openLab(names: LabNames): Lab {
  const state = readState(names)
  if (state === undefined) {
    throw new LabError('lab/not-up', `there is no lab named "${names.lab}"`, {
      hint: 'start one with three machines: npm run lab -- 3',
    })
  }
  const host = hostCgroups()
  const { root } = state
  const known = (name: string): MachineState => {
    const machine = state.machines.find((candidate) => candidate.name === name)
    if (machine !== undefined) return machine
    throw new LabError('lab/unknown-machine', `the lab has no machine "${name}"`, {
      hint: `it has ${state.machines.map((candidate) => candidate.name).join(', ')}`,
    })
  }
  const boot = async (name: string): Promise<void> => {
    const machine = known(name)
    if (root === undefined) throw new LabError('lab/damaged-state', 'the lab does not know its root file system')
    if (leaderOf(host, names, name) !== undefined) {
      throw new LabError('lab/already-up', `${name} is up already`, { hint: `see it: npm run lab -- status` })
    }
    await killGroup(host, machineGroup(names, name))
    await removeGroup(host, machineGroup(names, name))
    await bootMachine(host, names, root, machine)
  }
  const exec: Lab['exec'] = async (machine, command, options) =>
    execInMachine(host, names, known(machine).name, command, options)

  return {
    names,
    machines: state.machines,
    exec,
    async run(machine, command, options) {
      const result = await exec(machine, command, options)
      if (result.code === 0) return result.stdout
      throw new LabError(
        'lab/command-failed',
        `${command.join(' ')} on ${machine} ended with code ${result.code}: ${(result.stderr || result.stdout).trim()}`,
      )
    },
    pathInto: (machine, path) => `/proc/${leaderOrThrow(host, names, known(machine).name)}/root${path}`,
    kill: async (machine) => cutPower(host, names, known(machine).name),
    boot,
    async reboot(machine) {
      await powerOff(host, names, known(machine).name)
      await boot(machine)
    },
    async freeze(machine) {
      leaderOrThrow(host, names, known(machine).name)
      await freezeGroup(host, machineGroup(names, machine))
    },
    thaw: async (machine) => thawGroup(host, machineGroup(names, known(machine).name)),
    cut: async (machine) => cutLink(names, known(machine).name),
    restore: async (machine) => restoreLink(names, known(machine).name),
    freezeStore: () => freezeStore(host, names),
    thawStore: () => thawStore(host, names),
    killStore: () => killStore(host, names),
    startStore: () => startStore(host, names, state.store),
    stopStore: () => stopStore(host, names),
    cutStore: () => cutStoreLink(names),
    restoreStore: () => restoreStoreLink(names),
    slowStore: (signal) => slowStore(host, names, signal),
    fillStoreDisk: () => fillStoreDisk(names),
    freeStoreDisk: async () => freeStoreDisk(names),
    status: () => statusOf(host, names, state),
  }
}

/** What a lab is doing now. */
async function statusOf(host: CgroupHost, names: LabNames, state: LabState): Promise<LabStatus> {
  const condition = async (machine: string): Promise<MachineCondition> => {
    if (leaderOf(host, names, machine) === undefined) return 'down'
    if (isFrozen(host, machineGroup(names, machine))) return 'frozen'
    return (await isLinked(names, machine)) ? 'up' : 'cut off'
  }
  const store = storeCondition(host, names)
  return {
    lab: state.lab,
    store: store === 'up' && !(await isStoreLinked(names)) ? 'cut off' : store,
    storeProgram: state.store.kind,
    machines: await Promise.all(
      state.machines.map(async (machine) => ({
        name: machine.name,
        machineId: machine.machineId,
        hostname: machine.hostname,
        address: machine.address,
        metadata: machine.metadata,
        condition: await condition(machine.name),
      })),
    ),
  }
}

/**
 * Removes a lab with everything it made: processes, mounts, links, folders. Needs its name only, so it works after a
 * crash at any point, and twice.
 *
 * @returns whether there was anything to remove
 */
export async function takeDown(names: LabNames, progress: Progress): Promise<boolean> {
  const host = hostCgroups()
  const isThere =
    existsSync(names.runtimeFolder) || groupFolders(host, names.cgroup).some((folder) => existsSync(folder))
  if (!isThere) return false
  progress.step('stopping machines and store …')
  const machines = groupFolders(host, names.cgroup)
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []))
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
  // A frozen part must be thawed by itself: thawing the group above does not reach it.
  for (const part of new Set(machines)) await thawGroup(host, `${names.cgroup}/${part}`)
  const left = processesOf(host, names.cgroup).length
  await killGroup(host, names.cgroup)
  await removeGroup(host, names.cgroup)
  for (const machine of new Set(machines)) removeNspawnTraces(nspawnName(names, machine))
  await removeNetwork(names)
  await removeStoreDisk(names)
  removeRuntimeFolder(names)
  removeIfEmpty(dirname(names.runtimeFolder))
  progress.done(`lab "${names.lab}" is gone (${left} processes stopped)`)
  return true
}

/** Whether the lab belongs to a process that still runs (a demonstration, a scenario run). */
export function ownerOf(names: LabNames): number | undefined {
  const owner = existsSync(names.stateFile) ? readState(names)?.ownerPid : undefined
  return owner !== undefined && existsSync(`/proc/${owner}`) ? owner : undefined
}

/** Whether a lab that nobody owns is up whole: left by `lab up` on purpose, not by a crash. */
export function isUp(names: LabNames): boolean {
  const state = existsSync(names.stateFile) ? readState(names) : undefined
  return state !== undefined && state.ownerPid === undefined && state.isComplete === true
}

const seconds = (sinceMs: number): string => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Another lab lives in it.
  }
}
