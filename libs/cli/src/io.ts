/**
 * What a command reads and writes, as a value: the process in `main`, memory in tests.
 * A reader that has gone away (`fleetctl list-units | head -1`) ends the writing, not the program.
 */

export type Sink = {
  /** Writes at once or not at all; never throws, not even when the reader has gone. */
  readonly write: (text: string) => void
  readonly isTerminal: boolean
  /** Width in characters; absent when this is no terminal. */
  readonly columns?: number
}

export type Io = {
  readonly stdin: AsyncIterable<Uint8Array | string>
  /** The answer. */
  readonly stdout: Sink
  /** The narration. */
  readonly stderr: Sink
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The part of a Node.js output stream that a sink needs. */
export type OutputStream = {
  readonly write: (text: string) => unknown
  readonly on: (event: 'error', listener: (error: Error) => void) => unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** The part of `process` that becomes an `Io`. */
export type ProcessLike = {
  readonly stdin: AsyncIterable<Uint8Array | string>
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Readonly<Record<string, string | undefined>>
}

/** The streams and environment of `process`. A broken pipe is tolerated; any other write error ends the program. */
export const ioOf = (process: ProcessLike): Io => ({
  stdin: process.stdin,
  stdout: sinkOf(process.stdout),
  stderr: sinkOf(process.stderr),
  env: process.env,
})

function sinkOf(stream: OutputStream): Sink {
  let readerIsGone = false
  stream.on('error', (error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error
    readerIsGone = true
  })
  return {
    write: (text) => {
      if (!readerIsGone) stream.write(text)
    },
    isTerminal: stream.isTTY === true,
    ...(stream.columns === undefined ? {} : { columns: stream.columns }),
  }
}

export type MemoryIo = Io & { readonly written: { readonly stdout: string; readonly stderr: string } }

/** An `Io` that keeps what is written to it; for tests of commands. */
export function memoryIo(
  options: {
    readonly stdin?: string
    readonly env?: Readonly<Record<string, string>>
    readonly isTerminal?: boolean
  } = {},
): MemoryIo {
  const { stdin = '', env = {}, isTerminal = false } = options
  const written = { stdout: '', stderr: '' }
  const sink = (name: 'stdout' | 'stderr'): Sink => ({
    write: (text) => {
      written[name] += text
    },
    isTerminal,
    ...(isTerminal ? { columns: 80 } : {}),
  })
  return { stdin: lines(stdin), stdout: sink('stdout'), stderr: sink('stderr'), env, written }
}

async function* lines(text: string): AsyncGenerator<string> {
  if (text !== '') yield text
}
