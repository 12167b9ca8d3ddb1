import { afterAll, beforeAll, describe, it } from 'vitest'
import { unitManagerContract } from '../src/contract.ts'
import { createProcessWorld, type ProcessWorld } from './process-machine.ts'

let world: ProcessWorld

beforeAll(async () => {
  world = await createProcessWorld()
}, 60_000)

afterAll(() => world.close(), 60_000)

unitManagerContract({
  name: 'processes',
  machine: () => {
    const directory = world.newDirectory()
    return async () => world.open(await directory)
  },
  runner: { describe, it },
})
