/** The recorded dialogues of the original with a three-machine cluster, against the fake one. */
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { isObject, type Step, stepsOf } from './dialogue.ts'
import { createWorld, fleetctlIn, type World } from './run-fleetctl.ts'

/** Where we do otherwise on purpose, by case and number of the step from 0; our outcome is asserted in its place. */
const deviations: Readonly<Record<string, Partial<Step> & { readonly because: string }>> = {
  'submit-invalid 9': {
    because: 'trap 28: a line may have up to 1 MiB',
    stdout: 'Unit long.service inactive\n',
    stderr: '',
    exit: 0,
  },
  'submit-invalid 20': {
    because: 'long.service was accepted above',
    stdout: 'long.service\nunk.service\n',
  },
  'load 12': {
    because: 'nothing is half-done: when one unit cannot be found, none is created',
    stdout:
      'a.service\tloaded\nb.service\tloaded\ng.service\tloaded\n' +
      'g2.service\tloaded\nstuck.service\tloaded\nstuck2.service\tloaded\n',
  },
  'start-failing-units 2': {
    because: 'trap 22: a oneshot that has finished has done what it is there for',
    stderr: '',
    exit: 0,
  },
  'start-failing-units 6': {
    because: 'the fake machine is quicker than the two seconds of --block-attempts=1',
    stdout: 'Unit nocmd2.service inactive\nUnit nocmd2.service launched on {{m3.short}}.../{{m3.ip}}\n',
    stderr:
      'Error waiting for units: Failed to find an active unit nocmd2.service within 2s, err: Failed to fetch states within 2s\n' +
      'Error waiting for systemd unit states, err: Failed to find an active unit nocmd2.service within 2s, err: Failed to fetch states within 2s\n',
  },
  'stop 14': {
    because: 'the fake systemd stops units at once',
    stdout:
      'UNIT\t\tMACHINE\t\t\tACTIVE\t\tSUB\na.service\t{{m1.short}}.../{{m1.ip}}\tactive\t\trunning\n' +
      'slow.service\t{{m2.short}}.../{{m2.ip}}\tinactive\tdead\n',
  },
  'stop 15': {
    because: 'trap 23: the others are stopped, waited for and told, whatever becomes of one',
    stdout: 'Unit a.service loaded on {{m1.short}}.../{{m1.ip}}\n',
    stderr: 'Unable to stop unit b.service in state inactive\nSuccessfully stopped units [a.service].\n',
  },
  'unload 6': {
    because: 'the planner of the fake cluster has taken the unit off its machine by then',
    stdout: 'UNIT\t\tHASH\tDSTATE\t\tSTATE\t\tTARGET\na.service\t8b42b72\tinactive\tinactive\t-\n',
  },
  'unload 11': {
    because: 'trap 23: a unit that no machine has can be unloaded, too',
    stdout: 'Unit p.service inactive\n',
    stderr: 'Successfully unloaded units [p.service].\n',
  },
  'unload 12': {
    because: 'p.service was unloaded above',
    stdout: 'UNIT\t\tDSTATE\na.service\tinactive\nb.service\tinactive\np.service\tinactive\n',
  },
}

const unusedDeviations = new Set(Object.keys(deviations))
afterAll(() => expect([...unusedDeviations], 'deviations without a step').toEqual([]))

const folder = new URL('./dialogues/', import.meta.url)

for (const file of readdirSync(folder).sort()) {
  describe(file, () => {
    const cases: unknown = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
    if (!Array.isArray(cases)) throw new Error(`${file} is a list of cases`)
    for (const each of cases) {
      if (!isObject(each)) throw new Error(`${file}: a case is an object`)
      it(String(each['name']), () => replay(String(each['name']), stepsOf(each['steps'])))
    }
  })
}

async function replay(id: string, steps: readonly Step[]): Promise<void> {
  const world = createWorld()
  for (const [index, recorded] of steps.entries()) {
    const step = { ...recorded, ...deviations[`${id} ${index}`] }
    unusedDeviations.delete(`${id} ${index}`)
    for (const [path, text] of Object.entries(step.files ?? {})) {
      if (text === null) world.files.delete(path)
      else world.files.set(path, text)
    }
    for (const path of step.remove ?? []) world.files.delete(path)
    for (const [path, target] of Object.entries(step.links ?? {})) world.files.set(path, world.files.get(target) ?? '')
    if (step.patch !== undefined) patchMachines(world, step.patch)
    if (step.argv === undefined) continue
    if (step.settles) world.cluster.tick()
    const outcome = await fleetctlIn(world, step.argv.slice(1), step.exit === null ? { interruptAfterMs: 8000 } : {})
    const where = `${id} ${index}: ${step.argv.join(' ')}`
    const order = step.unordered ? sortLines : (text: string) => text
    if (step.stdout !== undefined) {
      expect(order(templated(world, outcome.stdout)), `${where}: stdout`).toBe(order(step.stdout))
    }
    if (step.exit === null) continue
    expect(templated(world, outcome.stderr), `${where}: stderr`).toBe(step.stderr ?? '')
    expect(outcome.exit, `${where}: exit`).toBe(step.exit)
  }
}

/** Machines may be swapped between units of an unordered step. */
const sortLines = (text: string): string =>
  text
    .replaceAll(/\{\{m\d/g, '{{m?')
    .split('\n')
    .sort()
    .join('\n')

function templated({ cluster }: World, text: string): string {
  let result = text.replaceAll(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d (WARN|INFO) \S+:/gm, '{{logtime}} $1 {{src}}:')
  for (const [index, { id, ip }] of cluster.machines.entries()) {
    result = result
      .replaceAll(id, `{{m${index + 1}}}`)
      .replaceAll(`${id.slice(0, 8)}...`, `{{m${index + 1}.short}}...`)
      .replaceAll(ip, `{{m${index + 1}.ip}}`)
  }
  return result
}

function patchMachines({ cluster }: World, body: string): void {
  const operations: unknown = JSON.parse(body)
  if (!Array.isArray(operations)) throw new Error('a patch is a list')
  for (const operation of operations) {
    if (!isObject(operation)) throw new Error('an operation is an object')
    const [, machine = '', , key = ''] = String(operation['path']).split('/')
    const target = cluster.machines[Number(/m(\d)/.exec(machine)?.[1] ?? 0) - 1]
    if (target === undefined) throw new Error(`${machine} is a machine`)
    const value = isObject(operation['value']) ? String(operation['value']['value']) : undefined
    if (operation['op'] === 'remove' || value === undefined) delete target.metadata[key]
    else target.metadata[key] = value
  }
}
