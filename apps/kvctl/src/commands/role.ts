/**
 * role add, get, list, remove, grant, revoke.
 *
 * @see spec/etcd-v2.md §7.6
 */
import { canonicalKey, isV2ApiError, type V2Permissions } from '@cluster/kv-client'
import { type Context, exitCode, type Invocation, type Run } from '../command.ts'
import { failed } from '../failure.ts'
import type { FlagValues } from '../go-flags.ts'
import { totalDeadline } from '../open-api.ts'
import { withPlainFailures } from './auth.ts'
import { isThere } from './user.ts'

/** Makes a role that may do nothing yet. */
export const roleAdd: Run = async (context, { args }) => {
  const name = nameOf(args)
  return await withPlainFailures(context, async ({ auth }) => {
    const exists = await isThere(auth.role(name, { signal: totalDeadline(context) }))
    if (exists) throw failed(`Role ${name} already exists`)
    await auth.addRole(name, { signal: totalDeadline(context) })
    context.io.stdout.write(`Role ${name} created\n`)
    return exitCode.done
  })
}

/** Prints what a role may read and write. */
export const roleGet: Run = async (context, { args }) => {
  const name = nameOf(args)
  return await withPlainFailures(context, async ({ auth }) => {
    const role = await auth.role(name, { signal: totalDeadline(context) })
    const { read, write } = role.permissions
    const lines = [`Role: ${role.name}`, 'KV Read:', ...read.map(indented), 'KV Write:', ...write.map(indented)]
    context.io.stdout.write(lines.map((line) => `${line}\n`).join(''))
    return exitCode.done
  })
}

const indented = (pattern: string): string => `\t${pattern}`

/** One name a line. */
export const roleList: Run = async (context, { args }) => {
  if (args.length !== 0) throw failed('No arguments accepted')
  return await withPlainFailures(context, async ({ auth }) => {
    const names = await auth.roles({ signal: totalDeadline(context) }).catch((error: unknown) => {
      // Alone among its kind, etcdctl shows the status here: spec/etcd-v2.md §7.6.
      if (!isV2ApiError(error) || error.failure.kind !== 'refused') throw error
      throw failed(`unexpected status code ${error.failure.refusal.status}`)
    })
    context.io.stdout.write(names.map((name) => `${name}\n`).join(''))
    return exitCode.done
  })
}

/** Removes a role; users who have it keep its name. */
export const roleRemove: Run = async (context, { args }) => {
  const name = nameOf(args)
  return await withPlainFailures(context, async ({ auth }) => {
    await auth.removeRole(name, { signal: totalDeadline(context) })
    context.io.stdout.write(`Role ${name} removed\n`)
    return exitCode.done
  })
}

/** Lets a role do more. */
export const roleGrant: Run = (context, invocation) => changeRights(context, invocation, 'grant')

/** Lets a role do less. */
export const roleRevoke: Run = (context, invocation) => changeRights(context, invocation, 'revoke')

async function changeRights(
  context: Context,
  { flags, args }: Invocation,
  change: 'grant' | 'revoke',
): Promise<number> {
  const permissions = permissionsOf(flags)
  const name = nameOf(args)
  return await withPlainFailures(context, async ({ auth }) => {
    // A PUT makes the role that is not there: that there is one is looked up first.
    await auth.role(name, { signal: totalDeadline(context) })
    await auth[change](name, permissions, { signal: totalDeadline(context) })
    context.io.stdout.write(`Role ${name} updated\n`)
    return exitCode.done
  })
}

function permissionsOf(flags: FlagValues): V2Permissions {
  const path = flags.text('path')
  if (path === '') throw failed('No path specified; please use `-path`')
  if (canonicalKey(path) !== path) throw failed(`Not canonical path; please use \`-path=${canonicalKey(path)}\``)
  const [read, write, both] = [flags.isOn('read'), flags.isOn('write'), flags.isOn('readwrite')]
  if ([read, write, both].filter(Boolean).length !== 1) {
    throw failed('Please specify exactly one of -read, -write or -readwrite')
  }
  return { read: read || both ? [path] : [], write: write || both ? [path] : [] }
}

function nameOf(args: readonly string[]): string {
  const [name, ...others] = args
  if (name === undefined || others.length > 0) throw failed('Please provide a role name')
  return name
}
