/** How a machine is shown: `SHORT.../IP`, or with `--full` `ID/IP`. Source: spec/fleet.md §10.3. */
import type { FleetMachine } from '@cluster/fleet-api'

/** Machines that are up, by ID. */
export type Machines = ReadonlyMap<string, FleetMachine>

export const machinesById = (machines: readonly FleetMachine[]): Machines =>
  new Map(machines.map((machine) => [machine.id, machine]))

/** The first eight characters of an ID, or all of it. */
export const machineIdCell = (id: string, { full = false } = {}): string => (full ? id : `${id.slice(0, 8)}...`)

/** ID and address; without the address for a machine that is gone or published none; `-` for no machine. */
export function machineCell(id: string | undefined, machines: Machines, { full = false } = {}): string {
  if (id === undefined || id === '') return '-'
  const ip = machines.get(id)?.primaryIp ?? ''
  return ip === '' ? machineIdCell(id, { full }) : `${machineIdCell(id, { full })}/${ip}`
}

/** `k=v,…` by key; `-` for none. */
export const metadataCell = (metadata: Readonly<Record<string, string>>): string =>
  Object.entries(metadata)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join(',') || '-'
