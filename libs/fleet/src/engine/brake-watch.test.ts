import { toRevision } from '@cluster/kv'
import { type ClusterTask, defaultBrakePolicy } from '@cluster/scheduler'
import { describe, expect, it } from 'vitest'
import { encodeBrakeRelease, encodeMachine } from '../registry/codec.ts'
import { createKeyspace } from '../registry/keyspace.ts'
import { createViewReader } from '../registry/view-reader.ts'
import { type BrakeVerdict, createBrakeWatch } from './brake-watch.ts'

const keyspace = createKeyspace('/f')
const all = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']
const viewOf = (up: readonly string[], released: readonly string[] = []) =>
  createViewReader(keyspace).read(
    [
      ...up.map((id) => ({
        key: keyspace.machine(id),
        value: encodeMachine({ id, publicIp: '', metadata: {}, engineDisabled: false, version: '' }),
        revision: toRevision(1),
      })),
      ...(released.length === 0
        ? []
        : [{ key: keyspace.brakeRelease, value: encodeBrakeRelease({ machines: released }), revision: toRevision(1) }]),
    ],
    toRevision(1),
  )

/** Six machines with ten units each; a lost machine's units would move, unless they did. */
function scenario(policy: Parameters<typeof createBrakeWatch>[0] = defaultBrakePolicy) {
  const watch = createBrakeWatch(policy)
  const left = new Set<string>()
  watch.saw(viewOf(all), all, 0)
  return {
    watch,
    at(nowMs: number, lost: readonly string[], released: readonly string[] = []): BrakeVerdict {
      const view = viewOf(
        all.filter((id) => !lost.includes(id)),
        released,
      )
      for (const id of all) if (!lost.includes(id)) left.delete(id)
      watch.saw(view, all, nowMs)
      const full = all.filter((id) => !left.has(id))
      const tasksOf = (id: string): readonly ClusterTask[] =>
        Array.from({ length: 10 }, (_, index) => ({
          kind: 'unschedule' as const,
          unit: `${id}-${index}.service`,
          machine: id,
          reason: '',
        }))
      const verdict = watch.judge({
        view,
        nowMs,
        lost: lost.filter((id) => !left.has(id)),
        placedUnits: 60,
        unitsOn: new Map(full.map((id) => [id, 10])),
        preview: () => lost.filter((id) => !left.has(id)).flatMap(tasksOf),
      })
      for (const id of verdict.letGo) {
        left.add(id)
        for (const task of tasksOf(id)) watch.moved(view, task.machine, nowMs)
      }
      return verdict
    },
  }
}

describe('the brake between looks', () => {
  it('lets two of six go, and holds three at once', () => {
    expect(scenario().at(1000, ['m1', 'm2'])).toMatchObject({ letGo: ['m1', 'm2'], state: { kind: 'idle' } })
    expect(scenario().at(1000, ['m1', 'm2', 'm3'])).toMatchObject({
      withheld: new Set(['m1', 'm2', 'm3']),
      letGo: [],
      state: { kind: 'held', reason: { lostMachines: ['m1', 'm2', 'm3'], wouldMove: 30, allowed: 20 } },
    })
  })

  it('holds what comes after what moved within the minute, and still long afterwards', () => {
    const { at } = scenario()
    expect(at(1000, ['m1']).letGo).toEqual(['m1'])
    expect(at(2000, ['m1', 'm2']).letGo).toEqual(['m2'])
    expect(at(3000, ['m1', 'm2', 'm3'])).toMatchObject({ withheld: new Set(['m3']), state: { kind: 'held' } })
    expect(at(3_600_000, ['m1', 'm2', 'm3'])).toMatchObject({ withheld: new Set(['m3']), state: { kind: 'held' } })
  })

  it('gives those that do not return with the others a minute, and then lets go what may go', () => {
    const { at } = scenario()
    at(1000, ['m1', 'm2', 'm3'])
    expect(at(200_000, ['m3']).withheld).toEqual(new Set(['m3']))
    expect(at(259_000, ['m3']).withheld).toEqual(new Set(['m3']))
    expect(at(260_000, ['m3'])).toMatchObject({ letGo: ['m3'], state: { kind: 'idle' }, wasReleased: false })
  })

  it('is idle when all have returned', () => {
    const { at } = scenario()
    at(1000, ['m1', 'm2', 'm3'])
    expect(at(2000, [])).toMatchObject({ withheld: new Set(), letGo: [], state: { kind: 'idle' } })
  })

  it('lets go what is released, and counts it for nothing afterwards', () => {
    const { at } = scenario()
    at(1000, ['m1', 'm2', 'm3'])
    const released = ['m1', 'm2', 'm3']
    expect(at(2000, released, released)).toMatchObject({ letGo: released, state: { kind: 'idle' }, wasReleased: true })
    expect(at(3000, [...released, 'm4'], released)).toMatchObject({ letGo: ['m4'], state: { kind: 'idle' } })
    expect(at(4000, [...released, 'm4', 'm5'], released)).toMatchObject({ letGo: ['m5'] })
    expect(at(5000, [...released, 'm4', 'm5', 'm6'], released)).toMatchObject({ withheld: new Set(['m6']) })
  })

  it('holds nothing when it is off', () => {
    expect(scenario('off').at(1000, all.slice(1))).toMatchObject({ letGo: all.slice(1), state: { kind: 'idle' } })
  })
})
