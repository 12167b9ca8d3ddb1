/**
 * Proves the contract against the systemd of the machine it runs on, without a test runner: bundle to one file (leave
 * `x11` and `usocket` external: dbus-next asks for them only where we do not go), run as root. Prints `ok NAME` or `not ok NAME: why` for each case, and exits 1 when one failed.
 * Arguments: units directory (default /run/cluster-contract/units), bus address (default the system bus).
 */

import { systemClock } from '@cluster/daemon/system'
import { describeError, type Logger } from '@cluster/prelude'
import { contractCases } from '../src/contract.ts'
import { openDbusUnitManager } from '../src/dbus-unit-manager.ts'
import { dbusCases } from './dbus-cases.ts'

const [, , unitsDirectory = '/run/cluster-contract/units', busAddress] = process.argv

const toStderr =
  (level: string): Logger['info'] =>
  (message, fields) =>
    console.error(level, message, fields ?? '')
const log: Logger = {
  debug: () => undefined,
  info: toStderr('info'),
  warn: toStderr('warn'),
  error: toStderr('error'),
}

type Case = { readonly name: string; readonly run: () => Promise<void> }

const open = () =>
  openDbusUnitManager({ log, clock: systemClock, unitsDirectory, ...(busAddress !== undefined && { busAddress }) })

const cases: readonly Case[] = [
  ...contractCases.map(({ name, run }) => ({ name, run: () => run(open) })),
  ...dbusCases.map(({ name, run }) => ({ name, run: () => run(unitsDirectory) })),
]

async function main(): Promise<boolean> {
  let passed = true
  for (const { name, run } of cases) {
    try {
      await run()
      console.log(`ok ${name}`)
    } catch (error) {
      passed = false
      console.log(`not ok ${name}: ${describeError(error).join(' | ').replaceAll('\n', ' ')}`)
    }
  }
  await tidyUp()
  return passed
}

/** A case that failed in the middle may have left its units. */
async function tidyUp(): Promise<void> {
  await using units = await open()
  for (const name of (await units.list()).keys()) if (/^contract/.test(name)) await units.unload(name)
  await units.reload()
}

main().then((passed) => {
  process.exitCode = passed ? 0 : 1
}, console.error)
