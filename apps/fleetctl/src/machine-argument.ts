/** Machines as a person names them: by ID, by how it begins (`1a000000...` too), or by address. */
import { nearestWords } from '@cluster/cli'
import type { FleetMachine } from '@cluster/fleet-api'
import { err, ok, type Result } from '@cluster/prelude'
import { type Machines, machineCell } from './machine-cell.ts'

/** The machine that is meant, or one line that says why none is. */
export function findMachine(text: string, machines: Machines): Result<FleetMachine, string> {
  const exact = machines.get(text)
  if (exact !== undefined) return ok(exact)
  const all = [...machines.values()]
  // As lists show it: `1a000000...` or `1a000000.../10.77.0.11`.
  const beginning = text.replace(/\.\.\.(\/.*)?$/, '')
  const meant = all.filter(({ id, primaryIp }) => primaryIp === text || (beginning !== '' && id.startsWith(beginning)))
  const [first, ...others] = meant
  if (first !== undefined && others.length === 0) return ok(first)
  if (first !== undefined) {
    return err(`${text} may be any of ${meant.length} machines: ${named(meant, machines)}; write more of the ID`)
  }
  const near = nearestWords(text, [...machines.keys()]).flatMap((id) => machines.get(id) ?? [])
  const known = near.length > 0 ? near : all
  if (known.length === 0) return err(`there is no machine ${text}, and no other is up`)
  return err(`there is no machine ${text}; ${near.length > 0 ? 'did you mean' : 'up are'} ${named(known, machines)}`)
}

/** All of them, each once, or the first line that says why one is none. */
export function findMachines(texts: readonly string[], machines: Machines): Result<readonly FleetMachine[], string> {
  const found = new Map<string, FleetMachine>()
  for (const text of texts) {
    const machine = findMachine(text, machines)
    if (!machine.ok) return machine
    found.set(machine.value.id, machine.value)
  }
  return ok([...found.values()])
}

const namedMax = 5

function named(some: readonly FleetMachine[], machines: Machines): string {
  const shown = some.slice(0, namedMax).map(({ id }) => machineCell(id, machines))
  return `${shown.join(', ')}${some.length > namedMax ? ` and ${some.length - namedMax} more` : ''}`
}
