/** Users and groups of this machine by name or number, from /etc/passwd and /etc/group (passwd(5), group(5)). */
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'

type Database = 'passwd' | 'group'

export type Account = {
  readonly name: string
  readonly id: number
  /** Of a user: its group, home and shell. */
  readonly groupId?: number
  readonly home?: string
  readonly shell?: string
}

/** The account of that name or number; undefined when the machine has none. */
export function findAccount(database: Database, nameOrId: string): Account | undefined {
  return readDatabase(database).find(({ name, id }) => name === nameOrId || String(id) === nameOrId)
}

/** The name of a number. */
export const nameOfId = (database: Database, id: number): string | undefined =>
  readDatabase(database).find((account) => account.id === id)?.name

function readDatabase(database: Database): readonly Account[] {
  return readText(`/etc/${database}`)
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 3)
    .map(([name = '', , id = '', groupId = '', , home = '', shell = '']) => ({
      name,
      id: Number(id),
      ...(database === 'passwd' && { groupId: Number(groupId), home, shell }),
    }))
}

/**
 * Why processes cannot be started as that user or group here; undefined when they can: by root as anybody that there is,
 * by others as themselves.
 */
export function accountProblem(key: 'User' | 'Group', nameOrId: string): string | undefined {
  const { uid, gid } = userInfo()
  const account = findAccount(key === 'User' ? 'passwd' : 'group', nameOrId)
  const id = account?.id ?? (/^\d+$/.test(nameOrId) ? Number(nameOrId) : undefined)
  if (uid === 0) return undefined
  if (id === (key === 'User' ? uid : gid)) return undefined
  return `only root may start processes as another ${key.toLowerCase()}: take it out, or run the agent as root`
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
