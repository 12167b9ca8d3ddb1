/**
 * user add, get, list, remove, grant, revoke, passwd.
 *
 * @see spec/etcd-v2.md §7.6
 */
import { isV2ApiError } from '@cluster/kv-client'
import { type Context, exitCode, type Invocation, type Run } from '../command.ts'
import { failed } from '../failure.ts'
import { splitCredentials, totalDeadline } from '../open-api.ts'
import { withPlainFailures } from './auth.ts'

/** Makes a user; a password that is not given is asked for. */
export const userAdd: Run = async (context, { args }) => {
  const word = nameOf(args)
  return await withPlainFailures(context, async ({ auth }) => {
    const [name = ''] = word.split(':', 1)
    // Looked up before anybody types a password for nothing.
    const exists = await isThere(auth.user(name, { signal: totalDeadline(context) }))
    if (exists) throw failed(`User ${name} already exists`)
    const { password } = await splitCredentials(word, () => context.readPassword('New password: '))
    await auth.addUser(name, password, { signal: totalDeadline(context) })
    context.io.stdout.write(`User ${name} created\n`)
    return exitCode.done
  })
}

/** Prints a user's roles. */
export const userGet: Run = async (context, { args }) => {
  const name = nameOf(args)
  return await withPlainFailures(context, async ({ auth }) => {
    const user = await auth.user(name, { signal: totalDeadline(context) })
    // Two spaces before the first role: vectors/etcdctl-v2/auth.json.
    const roles = user.roles.length === 0 ? '' : ['', ...user.roles].join(' ')
    context.io.stdout.write(`User: ${user.name}\nRoles: ${roles}\n`)
    return exitCode.done
  })
}

/** One name a line. */
export const userList: Run = async (context, { args }) => {
  if (args.length !== 0) throw failed('No arguments accepted')
  return await withPlainFailures(context, async ({ auth }) => {
    const names = await auth.users({ signal: totalDeadline(context) })
    context.io.stdout.write(names.map((name) => `${name}\n`).join(''))
    return exitCode.done
  })
}

/** Removes a user. */
export const userRemove: Run = async (context, { args }) => {
  const name = nameOf(args)
  return await withPlainFailures(context, async ({ auth }) => {
    await auth.removeUser(name, { signal: totalDeadline(context) })
    context.io.stdout.write(`User ${name} removed\n`)
    return exitCode.done
  })
}

/** Gives roles to a user. */
export const userGrant: Run = (context, invocation) => changeRoles(context, invocation, 'grantRoles')

/** Takes roles from a user. */
export const userRevoke: Run = (context, invocation) => changeRoles(context, invocation, 'revokeRoles')

async function changeRoles(
  context: Context,
  { flags, args }: Invocation,
  change: 'grantRoles' | 'revokeRoles',
): Promise<number> {
  const roles = flags.list('roles')
  if (roles.length === 0) throw failed('No roles specified; please use `-roles`')
  const name = nameOf(args)
  return await withPlainFailures(context, async ({ auth }) => {
    await auth[change](name, roles, { signal: totalDeadline(context) })
    context.io.stdout.write(`User ${name} updated\n`)
    return exitCode.done
  })
}

/** Asks for another password. */
export const userPasswd: Run = async (context, { args }) => {
  const name = nameOf(args)
  return await withPlainFailures(context, async ({ auth }) => {
    // A PUT makes the user who is not there: that there is one is looked up first.
    await auth.user(name, { signal: totalDeadline(context) })
    const password = await context.readPassword('New password: ')
    await auth.setPassword(name, password, { signal: totalDeadline(context) })
    context.io.stdout.write('Password updated\n')
    return exitCode.done
  })
}

function nameOf(args: readonly string[]): string {
  const [name, ...others] = args
  if (name === undefined || others.length > 0) throw failed('Please provide a username')
  return name
}

/** Whether what was asked for exists; what else the server says about it, the request that follows hears, too. */
export const isThere = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => true,
    (error: unknown) => {
      if (isV2ApiError(error) && error.failure.kind === 'refused') return false
      throw error
    },
  )
