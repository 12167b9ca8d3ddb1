/**
 * Passwords and their bcrypt hashes. Hashing takes some 60 ms of a core, so it happens in a thread of its own, and what
 * was found right once is remembered until the hash changes.
 */
import { hash as digestOf } from 'node:crypto'
import type { ByteString } from '@cluster/kv-store'

/** Hashes passwords and compares them with hashes. Passwords are bytes, one character each. */
export interface PasswordHasher {
  /**
   * A new hash, salted.
   *
   * @throws KvServerError `kv-server/too-many-passwords`, `kv-server/thread-died`, `kv-server/closed`
   */
  hash(password: ByteString): Promise<string>
  /** Whether the hash is one of this password; false for what is no hash. Throws as `hash`. */
  verify(password: ByteString, hash: string): Promise<boolean>
}

/** `unchecked`: too many wait to be compared, or the thread that compares them is gone. */
export type PasswordFinding = 'right' | 'wrong' | 'unchecked'

export interface PasswordChecker {
  /** Calls back exactly once: in the same turn when the password is known to be right, else when it has been hashed. */
  check(user: ByteString, password: ByteString, hash: string, settle: (finding: PasswordFinding) => void): void
}

export type PasswordCheckerOptions = {
  readonly hasher: PasswordHasher
  /** Random bytes of this process: what is remembered is of no use elsewhere. */
  readonly digestKey: Uint8Array
  /** For how many users the right password is remembered. */
  readonly usersMax?: number
  /** Told why a password was not compared. */
  readonly onFailure?: (error: unknown) => void
}

/** Remembers right passwords as keyed digests; asks the hasher for all others, once for each that waits. */
export function createPasswordChecker({
  hasher,
  digestKey,
  usersMax = 4096,
  onFailure = () => {},
}: PasswordCheckerOptions): PasswordChecker {
  // Before the text and never shown: a secret prefix is as good as an HMAC here, at a third of its price.
  const key = Buffer.from(digestKey).toString('hex')
  const known = new Map<ByteString, string>()
  const waiting = new Map<string, ((finding: PasswordFinding) => void)[]>()

  const remember = (user: ByteString, digest: string): void => {
    known.delete(user)
    known.set(user, digest)
    // The one whose password was learnt first goes first.
    for (const oldest of known.keys()) {
      if (known.size <= usersMax) break
      known.delete(oldest)
    }
  }

  const finish = (digest: string, finding: PasswordFinding): void => {
    const settles = waiting.get(digest) ?? []
    waiting.delete(digest)
    for (const settle of settles) settle(finding)
  }

  return {
    check(user, password, hash, settle) {
      // The hash is part of it: with another hash nothing that is known fits any more.
      const digest = digestOf('sha256', `${key}${user.length}:${password.length}:${user}${password}${hash}`, 'base64')
      if (known.get(user) === digest) return settle('right')
      const others = waiting.get(digest)
      if (others !== undefined) {
        others.push(settle)
        return
      }
      waiting.set(digest, [settle])
      hasher.verify(password, hash).then(
        (isRight) => {
          if (isRight) remember(user, digest)
          finish(digest, isRight ? 'right' : 'wrong')
        },
        (error: unknown) => {
          onFailure(error)
          finish(digest, 'unchecked')
        },
      )
    },
  }
}
