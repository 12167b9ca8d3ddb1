import { kvContract } from '../src/contract.ts'
import { createManualClock, createModelKv } from '../src/index.ts'

kvContract({
  name: 'the model',
  open: async () => {
    const clock = createManualClock()
    const kv = createModelKv({ clock })
    return {
      kv,
      advance: clock.advance,
      compact: async () => kv.compact(),
      close: () => kv[Symbol.asyncDispose](),
    }
  },
  supports: { found: true, directories: true },
})
