/** What the resources of the auth API share: records to read, and writes to the store below `/2`. */
import type { ByteString } from '@cluster/kv-store'
import type { Command, Outcome, StorePath } from '@cluster/kv-store/v2'
import { type AuthRecords, authPath, enabledPath, rolesPath, usersPath } from '../../auth-records.ts'
import { commit } from '../../commit.ts'
import type { PasswordHasher } from '../../passwords.ts'
import type { Replica } from '../../replica.ts'

export type AuthContext = {
  readonly replica: Replica
  /** Reads that the stats do not see: of what a read through the log has just found. */
  readonly records: AuthRecords
  /** Reads that the stats see. */
  readonly counted: AuthRecords
  readonly hasher: PasswordHasher
}

/** One request of the auth API. `query` as sent; `body` as bytes, one character each. */
export type AuthRequest = { readonly method: string; readonly query: string; readonly body: ByteString }

/** Waits until everything that was committed before is applied here, as etcd does by reading the record in the log. */
export async function readThroughLog({ replica }: AuthContext, path: StorePath): Promise<void> {
  await commit(replica, { kind: 'get', path, isRecursive: false, isSorted: false })
}

/** Makes a file that must not exist. */
export const createRecord = (context: AuthContext, path: StorePath, value: ByteString): Promise<Outcome> =>
  write(context, createCommand(path, value, false))

/** Changes a file that must exist. */
export const updateRecord = (context: AuthContext, path: StorePath, value: ByteString): Promise<Outcome> =>
  write(context, { kind: 'update', path, value, deadlineMs: undefined, isRefresh: false })

/** Removes a file that must exist. */
export const deleteRecord = (context: AuthContext, path: StorePath): Promise<Outcome> =>
  write(context, { kind: 'delete', path, isDirectory: false, isRecursive: false })

async function write(context: AuthContext, command: Command): Promise<Outcome> {
  await ensureDirectories(context)
  return commit(context.replica, command)
}

/** The first write of all, also one that is refused, makes the directories and the flag: four indexes (spec §2.1). */
async function ensureDirectories({ replica }: AuthContext): Promise<void> {
  if (replica.store.valueOf(enabledPath) !== undefined) return
  for (const path of [authPath, usersPath, rolesPath]) await commit(replica, createCommand(path, '', true))
  await commit(replica, createCommand(enabledPath, 'false', false))
}

const createCommand = (path: StorePath, value: ByteString, isDirectory: boolean): Command => ({
  kind: 'create',
  path,
  value,
  isDirectory,
  deadlineMs: undefined,
})

/** Whether Go's url.ParseQuery refuses a query. */
export const isBadQuery = (query: string): boolean => /;|%(?![0-9a-fA-F]{2})/.test(query)
