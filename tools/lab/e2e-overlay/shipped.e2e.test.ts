/** What is shipped of flanneld needs nothing but itself: its built folder alone, far from the project, with the udp thread. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { openOverlayLab } from '../src/overlay/index.ts'
import { until } from '../src/until.ts'
import { describeOverlay, networkOf, prefix, programs } from './open-lab.ts'

describeOverlay('the shipped folder of flanneld', () => {
  it('is enough to carry packets through the udp tunnel', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flanneld-shipped-'))
    try {
      cpSync(dirname(programs.flanneld), folder, { recursive: true })
      await using lab = await openOverlayLab({
        hosts: [1, 2],
        programs: { ...programs, flanneld: join(folder, 'flanneld.cjs') },
      })
      await lab.store.put(`${prefix}/config`, JSON.stringify(networkOf({ Type: 'udp' })))
      const [one, two] = [lab.host(1), lab.host(2)]
      await Promise.all([one.start(), two.start()])
      const answer = await until(() => one.ping(two.containerAddress()), {
        what: 'packets pass',
        timeoutMs: 10_000,
        is: ({ ok }) => ok,
      })
      expect(answer).toEqual({ ok: true, ttl: 60 })
      expect((await one.command(['status'])).code).toBe(0)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
