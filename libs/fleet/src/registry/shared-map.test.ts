import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createSharedMap } from './shared-map.ts'

it('hands out moments that stay as they were, each equal to a copy', () => {
  const step = fc.record({
    key: fc.integer({ min: 0, max: 200 }),
    value: fc.option(fc.string({ minLength: 1 })),
    isShared: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const shared = createSharedMap<number, string>()
      const model = new Map<number, string>()
      const moments: (readonly [ReadonlyMap<number, string>, ReadonlyMap<number, string>])[] = []
      for (const { key, value, isShared } of steps) {
        if (value === null) {
          shared.delete(key)
          model.delete(key)
        } else {
          shared.set(key, value)
          model.set(key, value)
        }
        expect(shared.get(key)).toBe(model.get(key))
        if (isShared) moments.push([shared.share(), new Map(model)])
      }
      for (const [moment, copy] of moments) {
        expect(new Map(moment)).toEqual(copy)
        expect([moment.size, [...moment.keys()].length, [...moment.values()].length]).toEqual([
          copy.size,
          copy.size,
          copy.size,
        ])
        const told = new Map<number, string>()
        moment.forEach((value, key) => void told.set(key, value))
        expect(told).toEqual(copy)
        for (let key = 0; key <= 200; key++) {
          expect([moment.get(key), moment.has(key)]).toEqual([copy.get(key), copy.has(key)])
        }
      }
    }),
    { numRuns: 30 },
  )
})
