/** Boots the cluster that all scenarios share, and removes it after the last. */
import { bringUpCluster } from '../src/cluster.ts'
import { takeDown } from '../src/lab.ts'
import { streamProgress } from '../src/progress.ts'
import { programs } from '../src/repository.ts'
import { scenarioNames } from './scenario.ts'

const progress = streamProgress(process.stderr)

/** Called by the test runner ahead of the first scenario. */
export async function setup(): Promise<void> {
  const interrupted = new AbortController()
  process.once('SIGTERM', () => interrupted.abort())
  const options = { machines: 3, programs, environment: process.env, ownerPid: process.pid }
  await bringUpCluster(scenarioNames, options, progress, interrupted.signal)
}

/** Called after the last, also when scenarios failed. */
export async function teardown(): Promise<void> {
  await takeDown(scenarioNames, progress)
}
