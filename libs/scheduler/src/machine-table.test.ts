import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createMachineTable } from './machine-table.ts'
import { compareText } from './order.ts'

it('keeps machines in order of load and ID while they join, leave and change', () => {
  const id = fc.nat(60).map((number) => `m${number}`)
  const disk = fc.constantFrom('ssd', 'hdd')
  const step = fc.oneof(
    fc.record({ kind: fc.constant('join' as const), id, disk }),
    fc.record({ kind: fc.constant('leave' as const), id, disk }),
    fc.record({ kind: fc.constant('load' as const), id, disk }),
  )
  const ssd = { required: new Map([['disk', ['ssd']]]) }
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const table = createMachineTable([{ id: 'm30', metadata: { disk: 'ssd' } }])
      const model = new Map([['m30', { disk: 'ssd', load: 0 }]])
      for (const { kind, ...one } of steps) {
        const entry = table.byId(one.id)
        const known = model.get(one.id)
        const machine = { id: one.id, metadata: { disk: one.disk } }
        if (kind === 'join') {
          if (entry === undefined) table.join(machine)
          else table.relabel(entry, machine)
          model.set(one.id, { disk: one.disk, load: known?.load ?? 0 })
        } else if (entry !== undefined && known !== undefined) {
          if (kind === 'leave') table.leave(entry)
          else table.changeLoad(entry, 1)
          if (kind === 'leave') model.delete(one.id)
          else known.load++
        }
        for (const requirement of [undefined, ssd]) {
          const seen: string[] = []
          table.leastLoaded(requirement, (each) => seen.push(each.machine.id) === 0)
          const expected = [...model]
            .filter(([, each]) => requirement === undefined || each.disk === 'ssd')
            .sort(([a, one], [b, other]) => one.load - other.load || compareText(a, b))
          expect(seen).toEqual(expected.map(([each]) => each))
        }
      }
    }),
    { numRuns: 200 },
  )
})
