/** auth enable, disable. */
import type { V2Api } from '@cluster/kv-client'
import { type Context, exitCode, type Invocation, type Run } from '../command.ts'
import { failed, printPlainFailure } from '../failure.ts'
import { totalDeadline, withApi } from '../open-api.ts'

/** Rights are checked from now on. */
export const authEnable: Run = (context, invocation) =>
  switchAuth(context, invocation, 'Enabled', ({ auth }, signal) => auth.enable({ signal }))

/** No rights are checked any more. */
export const authDisable: Run = (context, invocation) =>
  switchAuth(context, invocation, 'Disabled', ({ auth }, signal) => auth.disable({ signal }))

async function switchAuth(
  context: Context,
  { args }: Invocation,
  word: string,
  change: (api: V2Api, signal: AbortSignal) => Promise<void>,
): Promise<number> {
  if (args.length !== 0) throw failed('No arguments accepted')
  return await withPlainFailures(context, async (api) => {
    await change(api, totalDeadline(context))
    context.io.stdout.write(`Authentication ${word}\n`)
    return exitCode.done
  })
}

/** Does something whose failures are printed bare: the server's own words, exit 1. */
export const withPlainFailures = (context: Context, use: (api: V2Api) => Promise<number>): Promise<number> =>
  withApi(context, async (api) => {
    try {
      return await use(api)
    } catch (error) {
      if (context.signal.aborted) throw error
      return printPlainFailure(context.io, error)
    }
  })
