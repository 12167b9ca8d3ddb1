import type { UnitRuntime } from '@cluster/systemd'
import { describe, expect, it } from 'vitest'
import { type PublicationInput, planPublication, refreshAfterMs, stateOf } from './unit-states.ts'

const running: UnitRuntime = { loadState: 'loaded', activeState: 'active', subState: 'running', hash: 'aa' }
const value = { loadState: 'loaded', activeState: 'active', subState: 'running', machine: 'm', hash: 'aa' }
const plan = (change: Partial<PublicationInput>) =>
  [
    ...planPublication({
      machine: 'm',
      runtimes: new Map(),
      launched: new Set(),
      published: new Map(),
      nowMs: 10_000,
      refreshMs: 3000,
      ...change,
    }).values(),
  ].flatMap((tasks) => tasks.map(({ kind }) => kind))

describe('what is published', () => {
  const runtimes = new Map([['a.service', running]])
  const launched = new Set(['a.service'])
  const fresh = new Map([['a.service', { state: { value, atMs: 9000 }, heartbeatAtMs: 9000 }]])
  const stopped = (stoppedAtMs: number) =>
    new Map([['a.service', { state: { value, atMs: 9000 }, heartbeatAtMs: 9000, stoppedAtMs }]])
  const old = new Map([['a.service', { state: { value, atMs: 7000 }, heartbeatAtMs: 7000 }]])

  it.each([
    ['a new unit', { runtimes, launched }, ['put-state', 'start-heartbeat']],
    ['a unit that is only loaded', { runtimes }, ['put-state']],
    ['nothing new', { runtimes, launched, published: fresh }, []],
    ['what would expire soon', { runtimes, launched, published: old }, ['put-state', 'refresh-heartbeat']],
    ['a unit that was stopped', { runtimes, published: fresh }, ['note-stop']],
    ['a unit that was stopped a moment ago', { runtimes, published: stopped(9001) }, []],
    ['a unit that was stopped a while ago', { runtimes, published: stopped(9000) }, ['stop-heartbeat']],
    ['a unit that was started again', { runtimes, launched, published: stopped(9900) }, ['refresh-heartbeat']],
    ['a unit that was stopped and unloaded', { published: stopped(9900) }, ['remove-state', 'stop-heartbeat']],
    ['a unit that is gone', { launched, published: fresh }, ['remove-state', 'stop-heartbeat']],
    [
      'a change',
      { runtimes: new Map([['a.service', { ...running, subState: 'exited' }]]), launched, published: fresh },
      ['put-state'],
    ],
    [
      'a unit whose text cannot be read',
      { runtimes: new Map([['a.service', { ...running, hash: undefined }]]), launched, published: fresh },
      ['remove-state'],
    ],
  ])('of %s', (_what, change, expected) => expect(plan(change)).toEqual(expected))

  it('leaves out a state without a hash', () => {
    expect(stateOf({ ...running, hash: undefined }, 'm')).toBeUndefined()
    expect(stateOf(running, 'm')).toEqual(value)
  })

  it.each([
    [30, 24_000],
    [10, 5000],
    [6, 3000],
  ])('with a TTL of %i s is said again after %i ms', (ttl, ms) => expect(refreshAfterMs(ttl)).toBe(ms))
})
