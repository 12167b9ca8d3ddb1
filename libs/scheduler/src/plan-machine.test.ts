import { describe, expect, it } from 'vitest'
import type { AgentState, CurrentUnit, TargetUnit } from './model.ts'
import { planMachine } from './plan-machine.ts'
import { defaultPolicy, fleetPolicy, type Policy } from './policy.ts'

const words = (target: readonly TargetUnit[], current: readonly CurrentUnit[], policy: Policy = defaultPolicy) =>
  planMachine({ units: target, isCertain: true }, current, policy).map((task) =>
    task.kind === 'reload' ? task.kind : `${task.kind} ${task.unit}`,
  )

const target = (targetState: TargetUnit['targetState'], name = 'a', hash = '1'): TargetUnit => ({
  name,
  hash,
  ...(targetState === undefined ? {} : { targetState }),
})
const has = (state: AgentState, name = 'a', hash = '1'): CurrentUnit => ({ name, state, hash })

describe('planMachine', () => {
  it.each([
    ['nothing', [], [], []],
    ['a stray unit', [], [has('inactive')], ['unload a', 'reload']],
    ['a unit to be loaded', [target('loaded')], [], ['load a', 'reload']],
    ['a unit to be launched', [target('launched')], [], ['load a', 'reload', 'start a']],
    ['a unit that should not run', [target('inactive')], [has('launched')], ['unload a', 'reload']],
    ['a unit that should not run and does not', [target('inactive')], [], []],
    ['a unit to be stopped', [target('loaded')], [has('launched')], ['stop a']],
    ['a unit to be started', [target('launched')], [has('loaded')], ['start a']],
    ['a unit as it should be', [target('launched')], [has('launched')], []],
    ['another text', [target('loaded', 'a', '2')], [has('loaded')], ['unload a', 'load a', 'reload']],
    [
      'a text that is not known',
      [target('loaded')],
      [{ name: 'a', state: 'loaded' }],
      ['unload a', 'load a', 'reload'],
    ],
    ['a file found at start', [target('launched')], [has('inactive')], ['load a', 'reload', 'start a']],
    ['no target state', [target(undefined)], [has('launched')], ['unload a', 'reload']],
  ] as const)('plans for %s', (_, units, current, expected) => expect(words(units, current)).toEqual(expected))

  it('sorts by kind, then by name', () => {
    const units = [target('launched', 'z'), target('launched', 'b'), target('loaded', 's'), target('launched', 'r')]
    const current = [has('launched', 's'), has('loaded', 'r'), has('loaded', 'old'), has('loaded', 'elder')]
    expect(words(units, current)).toEqual([
      'unload elder',
      'unload old',
      'load b',
      'load z',
      'reload',
      'stop s',
      'start b',
      'start r',
      'start z',
    ])
  })

  it('does nothing while the target is not certain', () => {
    expect(planMachine({ units: [], isCertain: false }, [has('launched')], defaultPolicy)).toEqual([])
  })

  it('loads a unit without target state, and then is at a loss, as fleet does', () => {
    expect(words([target(undefined)], [], fleetPolicy)).toEqual(['load a', 'reload'])
    expect(words([target(undefined)], [has('launched')], fleetPolicy)).toEqual([])
  })
})
