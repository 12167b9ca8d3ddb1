/** bcrypt in the thread that asks: what runs inside the worker, and the hasher of tests. */
import type { ByteString } from '@cluster/kv-store'
import { compareSync, genSaltSync, hashSync } from 'bcryptjs'
import type { PasswordHasher } from './passwords.ts'

/** etcd's; each step more doubles the time. */
export const bcryptCost = 10

/** A new hash as etcd writes it, `$2a$`. bcrypt looks at the first 72 bytes of a password. */
export function hashPassword(password: ByteString, cost: number = bcryptCost): string {
  return hashSync(utf8Of(password), genSaltSync(cost).replace(/^\$2b\$/, '$2a$'))
}

/** Whether the hash (`$2a$`, `$2b$`, `$2y$`) is one of this password. */
export function verifyPassword(password: ByteString, hash: string): boolean {
  const text = utf8Of(password)
  // bcryptjs takes text. Bytes that are none have no hash: passwords come in by JSON.
  if (Buffer.from(text, 'utf8').toString('latin1') !== password) return false
  return /^\$2[aby]\$\d\d\$/.test(hash) && compareSync(text, hash)
}

const utf8Of = (bytes: ByteString): string => Buffer.from(bytes, 'latin1').toString('utf8')

/** A hasher that holds the event loop while it hashes: for tests and tools. */
export const createBlockingHasher = ({ cost = bcryptCost }: { readonly cost?: number } = {}): PasswordHasher => ({
  hash: async (password) => hashPassword(password, cost),
  verify: async (password, hash) => verifyPassword(password, hash),
})
