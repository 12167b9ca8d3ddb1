/** What commands take from the words behind them. */
import type { Context } from './command.ts'
import { badArgument } from './failure.ts'

/** The first word, a key. @throws KvctlError `kvctl/bad-argument` */
export function keyOf(args: readonly string[]): string {
  const [key] = args
  if (key === undefined) throw badArgument('key required')
  return key
}

/** The second word, or all of stdin byte for byte. @throws KvctlError `kvctl/bad-argument` when both are missing */
export async function valueFrom({ io }: Context, args: readonly string[]): Promise<string | Uint8Array> {
  const value = args[1]
  if (value !== undefined) return value
  const parts: Uint8Array[] = []
  for await (const part of io.stdin) parts.push(typeof part === 'string' ? Buffer.from(part) : part)
  const bytes = Buffer.concat(parts)
  if (bytes.length === 0) throw badArgument('value required')
  return bytes
}
