/** An agent to be killed: opens the manager of a directory, runs one unit, says its main PID, and waits. */

import { systemClock } from '@cluster/daemon/system'
import { silentLogger } from '@cluster/prelude'
import { loadableUnit } from '../src/contract.ts'
import { createProcessUnitManager } from '../src/process/process-unit-manager.ts'

const [, , directory = '', supervisor = ''] = process.argv

async function main(): Promise<void> {
  const units = await createProcessUnitManager({
    directory,
    supervisorCommand: [process.execPath, supervisor],
    log: silentLogger,
    clock: systemClock,
  })
  const changes = units.changes(AbortSignal.timeout(20_000))
  await units.load('survivor.service', loadableUnit('[Service]\nExecStart=/bin/sleep infinity\n'))
  await units.reload()
  await units.start('survivor.service')
  for await (const _names of changes) {
    const pid = (await units.list()).get('survivor.service')?.mainPid
    if (pid !== undefined) {
      console.log(pid)
      break
    }
  }
  setInterval(() => undefined, 1000)
}

await main()
