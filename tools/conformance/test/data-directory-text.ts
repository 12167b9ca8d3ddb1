/**
 * A data directory as text, for fixtures: which files there are, how long they are, and what stands in them where they
 * are not zero. Segments of the log are 64 MiB of zeros for the most part; unpacked they are sparse.
 *
 * A line `file PATH SIZE` begins a file; `OFFSET HEX` below it puts bytes there; `#` begins a remark. The folder `lock` is
 * left out: it says who had the directory open on the machine where it was made.
 */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** Longest run on one line, in bytes; also how many zeros end a run. */
const lineBytes = 48
const zerosEndingRun = 16

/** The text of a directory. */
export function packDirectory(directory: string): string {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('lock') && statSync(join(directory, path)).isFile())
    .sort()
  return paths
    .map((path) => {
      const bytes = readFileSync(join(directory, path))
      return [`file ${path} ${bytes.length}`, ...runsOf(bytes)].map((line) => `${line}\n`).join('')
    })
    .join('')
}

function runsOf(bytes: Buffer): readonly string[] {
  const lines: string[] = []
  for (let at = nextNonZero(bytes, 0); at < bytes.length; ) {
    let end = at
    for (let zeros = 0; end < bytes.length && end - at < lineBytes && zeros < zerosEndingRun; end += 1) {
      zeros = bytes[end] === 0 ? zeros + 1 : 0
    }
    lines.push(`${at} ${bytes.subarray(at, end).toString('hex')}`)
    at = nextNonZero(bytes, end)
  }
  return lines
}

function nextNonZero(bytes: Buffer, from: number): number {
  // A page at a time: what follows the used part of a segment is millions of zeros.
  const page = Buffer.alloc(4096)
  let at = from
  while (at + page.length <= bytes.length && bytes.compare(page, 0, page.length, at, at + page.length) === 0) {
    at += page.length
  }
  while (at < bytes.length && bytes[at] === 0) at += 1
  return at
}

/** Makes a directory from its text; modes as a store gives them. */
export function unpackDirectory(text: string, directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  let descriptor: number | undefined
  const finish = (): void => {
    if (descriptor !== undefined) closeSync(descriptor)
  }
  try {
    for (const line of text.split('\n')) {
      if (line === '' || line.startsWith('#')) continue
      const [first = '', second = '', third] = line.split(' ')
      if (third !== undefined) {
        finish()
        const path = join(directory, second)
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
        writeFileSync(path, '', { mode: 0o600 })
        descriptor = openSync(path, 'r+')
        ftruncateSync(descriptor, Number(third))
      } else if (descriptor !== undefined) {
        const bytes = Buffer.from(second, 'hex')
        writeSync(descriptor, bytes, 0, bytes.length, Number(first))
      }
    }
  } finally {
    finish()
  }
}
