/** What every measurement gets, and how its report is kept. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem, type } from 'node:os'

export type BenchContext = {
  /** The project. */
  readonly root: string
  /** Where data directories are made; its disk is what is measured. */
  readonly folder: string
  /** A line of progress, to standard error. */
  readonly say: (line: string) => void
}

/** When, on what machine and which commit a report was made. */
export function reportHead(title: string, nowMs: number, commit: string): string {
  const [first] = cpus()
  const machine = `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()}, Node ${process.versions.node}`
  return `### ${title}, ${new Date(nowMs).toISOString().slice(0, 10)}, commit ${commit}\n\n${machine}`
}

/** Appends a report to the file, which is begun when there is none. */
export function appendReport(file: string, report: string): void {
  if (!existsSync(file)) writeFileSync(file, '# Benchmarks\n')
  const text = readFileSync(file, 'utf8')
  appendFileSync(file, `${text.endsWith('\n') ? '' : '\n'}\n${report}\n`)
}
