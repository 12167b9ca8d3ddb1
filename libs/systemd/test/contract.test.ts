import { describe, it } from 'vitest'
import { unitManagerContract } from '../src/contract.ts'
import { createFakeSystemd } from '../src/fake-systemd.ts'

unitManagerContract({
  name: 'fake',
  machine: () => {
    const machine = createFakeSystemd()
    return async () => machine.open()
  },
  runner: { describe, it },
})
