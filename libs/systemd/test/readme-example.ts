import { createFakeSystemd, isUp, type UnitManager } from '@cluster/systemd'
import { hashOptions, readAsFleet } from '@cluster/unit-file'

const text = '[Service]\nExecStart=/bin/sleep infinity\n'

/** Loads a unit, starts it, and returns once it runs. */
async function launch(units: UnitManager, name: string): Promise<void> {
  const options = readAsFleet(text)
  if (!options.ok) throw new Error(options.error.message)
  await units.load(name, { text, hash: hashOptions(options.value), hasInstall: false })
  await units.reload()

  const done = new AbortController()
  const changes = units.changes(done.signal)
  await units.start(name)
  for await (const names of changes) {
    const runtime = names.has(name) ? (await units.list()).get(name) : undefined
    if (runtime === undefined || !isUp(runtime)) continue
    console.log(`${name} is ${runtime.activeState} (${runtime.subState})`)
    done.abort()
  }
}

// on a machine: openDbusUnitManager({ log, clock })
const machine = createFakeSystemd()
await using units = machine.open()
await launch(units, 'hello.service')
machine.crash('hello.service')
console.log(`${[...(await units.list()).values()].map(({ activeState, result }) => `${activeState}: ${result}`)}`)
