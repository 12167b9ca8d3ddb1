/**
 * Claim: reading unit files and writing them back goes at 50 MB/s or more, in both readings that `@cluster/unit-file`
 * has. npm's `ini` runs beside as a curiosity: it takes the same texts, keeps neither comments nor repeated keys, and so
 * does less.
 */
import { clusterDialect, parseUnitFile, readAsFleet, renderOptions, renderUnitFile } from '@cluster/unit-file'
import { parse as parseIni, stringify as renderIni } from 'ini'
import type { BenchContext } from '../bench.ts'
import { BenchError } from '../errors.ts'
import { median } from '../statistics.ts'
import { table } from '../table.ts'
import { findCorpus } from './corpus.ts'

export type UnitsOptions = {
  readonly rounds: number
  readonly seconds: number
}

type Contender = {
  readonly name: string
  /** Reads one file and writes it back; the number of bytes or characters written. */
  readonly pass: (file: Uint8Array) => number
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

const contenders: readonly Contender[] = [
  { name: 'source: parseUnitFile, renderUnitFile', pass: (file) => flat(renderUnitFile(parseUnitFile(file))) },
  {
    name: 'fleet: readAsFleet, renderOptions',
    pass: (file) => {
      const options = readAsFleet(file, clusterDialect)
      return options.ok ? flat(renderOptions(options.value)) : 0
    },
  },
  { name: 'npm ini: parse, stringify', pass: (file) => flat(renderIni(parseIni(decoder.decode(file)))) },
]

/** A joined string is only made when somebody looks into it: looking at the last character makes it. */
const flat = (text: string): number => text.length + (text.charCodeAt(text.length - 1) === 0 ? 1 : 0)

/** Runs all contenders in turns over the same files; gives the report as Markdown. */
export function benchUnits({ rounds, seconds }: UnitsOptions, { root, say }: BenchContext): string {
  const corpus = findCorpus(root)
  if (corpus === undefined) {
    throw new BenchError('bench/no-corpus', 'there is no corpus beside the project and no unit is installed here', {
      hint: 'run this on a machine with systemd, or lay the corpus beside the project: ../shared/vectors/corpus/files',
    })
  }
  const bytes = corpus.files.reduce((sum, file) => sum + file.length, 0)
  const untouched = corpus.files.filter((file) => renderUnitFile(parseUnitFile(file)) === decoder.decode(file)).length
  const speeds = contenders.map((): number[] => [])
  for (const { pass } of contenders) repeat(corpus.files, pass, seconds / 2)
  for (let round = 1; round <= rounds; round += 1) {
    for (const [index, { name, pass }] of contenders.entries()) {
      const speed = repeat(corpus.files, pass, seconds)
      speeds[index]?.push(speed)
      say(`round ${round} of ${rounds}: ${name}: ${speed.toFixed(0)} MB/s`)
    }
  }
  const rows = contenders.map(({ name }, index) => {
    const measured = speeds[index] ?? []
    return [name, median(measured).toFixed(0), Math.min(...measured).toFixed(0), Math.max(...measured).toFixed(0)]
  })
  return [
    `${corpus.files.length} files, ${Math.round(bytes / 1000)} kB (${corpus.name}); ${untouched} written back byte for byte; MB/s of processor time, one thread, from bytes to text.`,
    '',
    table(['parse + render', 'median', 'least', 'most'], rows),
  ].join('\n')
}

/** MB per second of this process's own time: other load on the machine does not count. */
function repeat(files: readonly Uint8Array[], pass: Contender['pass'], seconds: number): number {
  const start = process.cpuUsage()
  let bytes = 0
  let written = 0
  for (;;) {
    for (const file of files) {
      written += pass(file)
      bytes += file.length
    }
    const used = process.cpuUsage(start)
    const microseconds = used.user + used.system
    if (microseconds >= seconds * 1e6) return written === 0 ? 0 : bytes / microseconds
  }
}
