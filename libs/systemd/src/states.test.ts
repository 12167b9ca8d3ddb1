import { expect, it } from 'vitest'
import { activityOf, hasEnded, isUp } from './states.ts'

it.each([
  ['active', 'running', false, true],
  ['reloading', 'running', false, true],
  ['refreshing', 'running', false, true],
  ['activating', 'starting', false, true],
  ['deactivating', 'stopping', false, false],
  ['inactive', 'ended', true, false],
  ['maintenance', 'ended', true, false],
  ['failed', 'failed', true, false],
  ['newfangled', 'unknown', false, false],
])('%s is %s; ended: %s, up: %s', (activeState, activity, ended, up) => {
  expect(activityOf(activeState)).toBe(activity)
  expect(hasEnded(activeState)).toBe(ended)
  expect(isUp({ activeState })).toBe(up)
})
