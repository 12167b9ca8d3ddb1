/** set, mk, update and their directory forms. */

import { keyOf, valueFrom } from '../arguments.ts'
import { type Context, exitCode, type Invocation, type Run } from '../command.ts'
import { totalDeadline, withApi } from '../open-api.ts'
import { printEvent } from '../print-event.ts'

/** Writes a value, under conditions if they are given. */
export const set: Run = async (context, { flags, args }) => {
  const key = keyOf(args)
  const value = await valueFrom(context, args)
  return await withApi(context, async ({ keys }) => {
    const event = await keys.set(key, value, {
      ttlSeconds: flags.integer('ttl'),
      prevValue: flags.text('swap-with-value'),
      prevIndex: flags.integer('swap-with-index'),
      signal: totalDeadline(context),
    })
    printEvent(context, event)
    return exitCode.done
  })
}

/** Writes a key that is not there yet, or the next one of a queue. */
export const mk: Run = async (context, { flags, args }) => {
  const key = keyOf(args)
  const value = await valueFrom(context, args)
  return await withApi(context, async ({ keys }) => {
    const options = { ttlSeconds: flags.integer('ttl'), signal: totalDeadline(context) }
    const event = flags.isOn('in-order')
      ? await keys.createInOrder(key, value, options)
      : await keys.set(key, value, { ...options, prevExist: false })
    printEvent(context, event)
    return exitCode.done
  })
}

/** Writes a key that is there. */
export const update: Run = async (context, { flags, args }) => {
  const key = keyOf(args)
  const value = await valueFrom(context, args)
  return await withApi(context, async ({ keys }) => {
    const options = { ttlSeconds: flags.integer('ttl'), signal: totalDeadline(context) }
    printEvent(context, await keys.set(key, value, { ...options, prevExist: true }))
    return exitCode.done
  })
}

/** Makes a directory that is not there yet. */
export const mkdir: Run = (context, invocation) => writeDirectory(context, invocation, { prevExist: false })

/** Makes a directory, or gives one another time to live. */
export const setdir: Run = (context, invocation) => writeDirectory(context, invocation, {})

/** Gives a directory another time to live. */
export const updatedir: Run = (context, invocation) => writeDirectory(context, invocation, { prevExist: true })

async function writeDirectory(
  context: Context,
  { flags, args }: Invocation,
  existence: { readonly prevExist?: boolean },
): Promise<number> {
  const key = keyOf(args)
  return await withApi(context, async ({ keys }) => {
    const options = { ...existence, ttlSeconds: flags.integer('ttl'), signal: totalDeadline(context) }
    await keys.set(key, '', { ...options, isDirectory: true })
    return exitCode.done
  })
}
