import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { Secret } from './secret.ts'

it.each([
  ['text', (secret: Secret) => `${secret}`],
  ['JSON', (secret: Secret) => JSON.stringify({ secret })],
  ['inspection', (secret: Secret) => inspect({ secret })],
  ['keys', (secret: Secret) => JSON.stringify(Object.entries(secret))],
])('a secret does not show as %s', (_, show) => expect(show(new Secret('hunter2'))).not.toContain('hunter2'))

it('a secret gives its text to who asks', () => {
  expect(new Secret('hunter2').reveal()).toBe('hunter2')
  expect(new Secret('').isEmpty).toBe(true)
})
