/** Copies a data directory for a new cluster. Silent when it worked. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Context, exitCode, type Run } from '../command.ts'
import { copyDirectory } from '../copy-directory.ts'
import { failed } from '../failure.ts'
import { fileFailure } from '../go-text.ts'

/** Exit 1 for everything that prevents it; what is missing is said as etcdctl logs it: vectors/etcdctl-v2/backup.json. */
export const backup: Run = async (context, { flags }) => {
  for (const name of ['wal-dir', 'backup-wal-dir']) {
    if (flags.text(name) === '') continue
    throw failed(`--${name} cannot be used: a store keeps its log in the data directory`, `leave --${name} out`)
  }
  const [from, to] = [flags.text('data-dir'), flags.text('backup-dir')]
  const missing = await stat(from === '' ? '.' : from).then(
    () => undefined,
    (error: unknown) => fileFailure('open', join(from, 'member/snap'), error),
  )
  if (missing !== undefined) return logFatal(context, missing)
  if (from === '') throw failed('no data directory given', 'say --data-dir DIR')
  if (to === '') throw failed('no directory for the copy given', 'say --backup-dir DIR')
  await copyDirectory({ from, to })
  return exitCode.done
}

function logFatal({ io, clock }: Context, message: string): number {
  const nowMs = clock.nowMs()
  const local = new Date(nowMs - new Date(nowMs).getTimezoneOffset() * 60_000).toISOString()
  io.stderr.write(`${local.slice(0, 10)} ${local.slice(11, 23)}000 I | ${message}\n`)
  return exitCode.badArgument
}
