import { describe, expect, it } from 'vitest'
import { createBlockingHasher, hashPassword, verifyPassword } from './bcrypt-hasher.ts'

// Made by etcd 3.4.23 for the user root with the password rootpw.
const etcdHash = '$2a$10$QmIkU48UmyTIy/lswN61ruYfNL9c0xR5OAZb1HdJ7pS37ZjNVIkte'

describe('bcrypt', () => {
  it('makes the hashes that etcd makes', () => expect(hashPassword('pw', 4)).toMatch(/^\$2a\$04\$[./A-Za-z0-9]{53}$/))

  it('salts', () => expect(hashPassword('pw', 4)).not.toBe(hashPassword('pw', 4)))

  it.each([
    ['rootpw', etcdHash, true],
    ['rootpw2', etcdHash, false],
    ['', etcdHash, false],
    ['rootpw', etcdHash.replace('$2a$', '$2b$'), true],
    ['rootpw', etcdHash.replace('$2a$', '$1$'), false],
    ['rootpw', etcdHash.slice(0, -1), false],
    ['rootpw', 'rootpw', false],
    ['', '', false],
  ])('password %j has the hash %s: %s', (password, hash, isRight) =>
    expect(verifyPassword(password, hash)).toBe(isRight),
  )

  it('hashes bytes: a byte order mark and what is no text count', () => {
    const hash = hashPassword('\xef\xbb\xbf\xc3\xa9', 4)
    expect(verifyPassword('\xef\xbb\xbf\xc3\xa9', hash)).toBe(true)
    expect(verifyPassword('\xc3\xa9', hash)).toBe(false)
    const replaced = hashPassword('\xef\xbf\xbd', 4)
    expect(verifyPassword('\xff', replaced)).toBe(false)
  })

  it('is a hasher in the thread that asks', async () => {
    const hasher = createBlockingHasher({ cost: 4 })
    expect(await hasher.verify('pw', await hasher.hash('pw'))).toBe(true)
  })
})
