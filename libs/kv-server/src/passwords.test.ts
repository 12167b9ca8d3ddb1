import { describe, expect, it } from 'vitest'
import { createPasswordChecker, type PasswordFinding, type PasswordHasher } from './passwords.ts'

/** A hash is `hash of X`; comparing waits until the test lets it. */
function createSlowHasher() {
  const asked: string[] = []
  const waiting: (() => void)[] = []
  const hasher: PasswordHasher = {
    hash: async (password) => `hash of ${password}`,
    verify: (password, hash) => {
      asked.push(password)
      return new Promise((resolve, reject) => {
        waiting.push(() =>
          password === 'boom' ? reject(new Error('no thread')) : resolve(hash === `hash of ${password}`),
        )
      })
    },
  }
  return {
    hasher,
    asked,
    finish: async () => {
      for (const go of waiting.splice(0)) go()
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

function createCase(options: { readonly usersMax?: number } = {}) {
  const slow = createSlowHasher()
  const failures: unknown[] = []
  const onFailure = (error: unknown): void => void failures.push(error)
  const checker = createPasswordChecker({
    hasher: slow.hasher,
    digestKey: Uint8Array.of(1, 2, 3),
    onFailure,
    ...options,
  })
  const answers: PasswordFinding[] = []
  const check = (user: string, password: string, hash = 'hash of pw'): void =>
    checker.check(user, password, hash, (finding) => answers.push(finding))
  return { ...slow, check, answers, failures }
}

describe('passwords', () => {
  it('that were right are known at once, without hashing', async () => {
    const { check, answers, asked, finish } = createCase()
    check('bob', 'pw')
    expect(answers).toEqual([])
    await finish()
    check('bob', 'pw')
    expect([answers, asked]).toEqual([['right', 'right'], ['pw']])
  })

  it('that were wrong are hashed each time', async () => {
    const { check, answers, asked, finish } = createCase()
    check('bob', 'no')
    await finish()
    check('bob', 'no')
    await finish()
    expect([answers, asked]).toEqual([
      ['wrong', 'wrong'],
      ['no', 'no'],
    ])
  })

  it('that are being hashed are not hashed again for others who wait', async () => {
    const { check, answers, asked, finish } = createCase()
    check('bob', 'pw')
    check('bob', 'pw')
    check('bob', 'no')
    await finish()
    expect([answers, asked]).toEqual([
      ['right', 'right', 'wrong'],
      ['pw', 'no'],
    ])
  })

  it('are forgotten when the hash changes', async () => {
    const { check, asked, finish } = createCase()
    check('bob', 'pw')
    await finish()
    check('bob', 'pw', 'hash of new')
    await finish()
    check('bob', 'pw', 'hash of new')
    expect(asked).toEqual(['pw', 'pw', 'pw'])
  })

  it('of one user are not those of another', async () => {
    const { check, asked, finish } = createCase()
    check('bob', 'pw')
    await finish()
    check('bo', 'bpw')
    check('ann', 'pw')
    expect(asked).toEqual(['pw', 'bpw', 'pw'])
  })

  it('are remembered for so many users', async () => {
    const { check, asked, finish } = createCase({ usersMax: 2 })
    for (const user of ['a', 'b', 'c']) {
      check(user, 'pw')
      await finish()
    }
    for (const user of ['b', 'c', 'a']) check(user, 'pw')
    expect(asked).toHaveLength(4)
  })

  it('are neither right nor wrong when nobody can compare them, and it is told why', async () => {
    const { check, answers, failures, finish } = createCase()
    check('bob', 'boom')
    await finish()
    expect(answers).toEqual(['unchecked'])
    expect(String(failures[0])).toBe('Error: no thread')
  })
})
