/** The words that scenarios are told in. What they look at: systemctl inside the machines, keys in the store. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { fleetSocket, listedMachines } from '../src/cluster.ts'
import type { CommandResult } from '../src/command.ts'
import { type Lab, openLab } from '../src/lab.ts'
import { labNames } from '../src/names.ts'
import { deleteKey, readKey, readValues } from '../src/store.ts'
import { type UnitOnMachine, unitOn } from '../src/unit-on-machine.ts'
import { unixRequest } from '../src/unix-http.ts'
import { until } from '../src/until.ts'

/** fleet's own prefix in the store. */
export const prefix = '/_coreos.com/fleet'

/** How long a machine's presence key lives without a beat: fleetd's default. */
export const presenceTtlMs = 6000

/** A power cut shows elsewhere within this: the promise of the README. */
export const moveMsMax = 12_000

export const scenarioNames = labNames(process.env, 'e2e')

/** The cluster that the scenarios share. */
export const theLab = (): Lab => openLab(scenarioNames)

export const machineNames = ['m1', 'm2', 'm3'] as const

/** A service that lives until it is stopped. */
export const service = (more = ''): string => `[Service]\nExecStart=/bin/sleep infinity\n${more}`

/** Runs fleetctl on a machine, with unit files of these names and texts in its current folder. */
export async function fleetctl(
  words: string,
  { files = {}, on = 'm1', timeoutMs = 60_000 }: FleetctlOptions = {},
): Promise<CommandResult> {
  const lab = theLab()
  const folder = '/tmp/units'
  await lab.run(on, ['sh', '-c', `rm -rf ${folder} && mkdir ${folder}`])
  for (const [name, text] of Object.entries(files)) {
    await lab.run(on, ['sh', '-c', 'cat > "$1"', 'sh', `${folder}/${name}`], { input: text })
  }
  return lab.exec(on, ['sh', '-c', `cd ${folder} && exec fleetctl ${words}`], { timeoutMs })
}

export type FleetctlOptions = {
  readonly files?: Readonly<Record<string, string>>
  readonly on?: string
  readonly timeoutMs?: number
}

/** As `fleetctl`, for a command that must succeed; gives its stdout. */
export async function fleetctlDone(words: string, options?: FleetctlOptions): Promise<string> {
  const { code, stdout, stderr } = await fleetctl(words, options)
  if (code !== 0) throw new Error(`fleetctl ${words} ended with code ${code}\n${stdout}${stderr}`)
  return stdout
}

/** Destroys every unit, mends every machine, and resolves when nothing of an earlier scenario is left. */
export async function freshCluster(): Promise<void> {
  const lab = theLab()
  const status = await lab.status()
  if (status.store === 'frozen') await lab.thawStore()
  await lab.restoreStore()
  await lab.freeStoreDisk()
  if (status.store === 'down') await lab.startStore()
  for (const { name, condition } of status.machines) {
    if (condition === 'frozen') await lab.thaw(name)
    if (condition === 'cut off') await lab.restore(name)
    if (condition === 'down') await lab.boot(name)
  }
  await everyMachineListed()
  const units = await readKey(lab.names, `${prefix}/job`)
  for (const { key } of units?.nodes ?? []) {
    const name = key?.slice(`${prefix}/job/`.length) ?? ''
    await unixRequest(lab.pathInto('m1', fleetSocket), {
      method: 'DELETE',
      path: `/fleet/v1/units/${encodeURIComponent(name)}`,
    })
    await until(() => filesOfUnit(name), {
      what: `no machine keeps ${name}`,
      timeoutMs: 30_000,
      is: (found) => found.length === 0,
    })
    await deleteKey(lab.names, key ?? '')
  }
}

/** Resolves when each machine's fleetd lists all three. */
export const everyMachineListed = async (): Promise<void> => {
  const lab = theLab()
  await until(() => Promise.all(machineNames.map(async (machine) => (await listedMachines(lab, machine)).length)), {
    what: 'three machines listed by each',
    timeoutMs: 60_000,
    everyMs: 200,
    is: (counts) => counts.every((count) => count === machineNames.length),
  })
}

/** Machines that have a unit's file. */
async function filesOfUnit(name: string): Promise<readonly string[]> {
  const lab = theLab()
  const found = await Promise.all(
    machineNames.map(async (machine) => {
      const { code } = await lab.exec(machine, ['test', '-e', `/run/fleet/units/${name}`])
      return code === 0 ? [machine] : []
    }),
  )
  return found.flat()
}

/** Where the units are active, by machine, as systemd in each machine says. */
export async function placesOf(units: readonly string[]): Promise<Readonly<Record<string, readonly string[]>>> {
  const lab = theLab()
  const entries = await Promise.all(
    units.map(async (unit) => {
      const states = await Promise.all(
        machineNames.map(async (machine) =>
          (await unitIfUp(lab, machine, unit))?.activeState === 'active' ? [machine] : [],
        ),
      )
      return [unit, states.flat()] as const
    }),
  )
  return Object.fromEntries(entries)
}

/** Resolves with the places once they are as wanted. */
export const untilPlaces = (
  units: readonly string[],
  what: string,
  is: (places: Readonly<Record<string, readonly string[]>>) => boolean,
  timeoutMs = 30_000,
): Promise<Readonly<Record<string, readonly string[]>>> =>
  until(() => placesOf(units), { what, timeoutMs, everyMs: 200, is })

/** Whether every unit is active on exactly one machine. */
export const eachOnOne = (places: Readonly<Record<string, readonly string[]>>): boolean =>
  Object.values(places).every((machines) => machines.length === 1)

export type Lives = Readonly<Record<string, Pick<UnitOnMachine, 'activeState' | 'mainPid' | 'invocationId'>>>

/** Which life each unit is in on each machine that has it: the same PID and invocation means it was never stopped. */
export async function livesOf(units: readonly string[], machines: readonly string[] = machineNames): Promise<Lives> {
  const lab = theLab()
  const entries = await Promise.all(
    units.flatMap((unit) =>
      machines.map(async (machine) => {
        const state = await unitIfUp(lab, machine, unit)
        if (state === undefined || state.loadState === 'not-found') return []
        const { activeState, mainPid, invocationId } = state
        return [[`${unit} on ${machine}`, { activeState, mainPid, invocationId }] as const]
      }),
    ),
  )
  return Object.fromEntries(entries.flat())
}

/** Watches for a while, look after look, that nothing about the units changes. */
export async function stayTheSame(units: readonly string[], before: Lives, forMs: number): Promise<void> {
  const endMs = performance.now() + forMs
  while (performance.now() < endMs) {
    expect(await livesOf(units)).toEqual(before)
    // The time itself is what is tested here: leases run out while it passes.
    await delay(1000)
  }
}

/** The unit on a machine, or undefined when the machine is down. */
async function unitIfUp(lab: Lab, machine: string, unit: string): Promise<UnitOnMachine | undefined> {
  try {
    return await unitOn(lab, machine, unit)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'lab/machine-down') return undefined
    throw error
  }
}

/** The value of a key of fleet's, or undefined. */
export const keyOf = async (path: string): Promise<string | undefined> =>
  (await readKey(theLab().names, `${prefix}/${path}`))?.value

/** fleet's keys below a path. */
export const keysBelow = async (path: string): Promise<readonly string[]> => [
  ...(await readValues(theLab().names, `${prefix}/${path}`)).keys(),
]

/** A machine's id by its name in the lab. */
export function idOf(machine: string): string {
  const found = theLab().machines.find(({ name }) => name === machine)
  if (found === undefined) throw new Error(`no machine ${machine}`)
  return found.machineId
}
