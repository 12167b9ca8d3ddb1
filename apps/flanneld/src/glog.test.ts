import { expect, it } from 'vitest'
import { createGlog } from './glog.ts'

const logged = (verbosity: number): { lines: string[]; log: ReturnType<typeof createGlog> } => {
  const lines: string[] = []
  const nowMs = () => new Date(2026, 0, 2, 3, 4, 5, 67).getTime()
  return { lines, log: createGlog({ verbosity, pid: 321, nowMs, write: (line) => lines.push(line) }) }
}

it('writes lines that readers of glog understand', () => {
  const { lines, log } = logged(0)
  log.info('lease acquired', { subnet: '10.5.34.0/24', error: new Error('no way'), nothing: undefined })
  log.error('two\nlines')
  expect(lines).toEqual([
    'I0102 03:04:05.067000     321 flanneld:1] lease acquired subnet=10.5.34.0/24 error="no way"\n',
    'E0102 03:04:05.067000     321 flanneld:1] two lines\n',
  ])
})

it('says debug messages only when asked', () => {
  const quiet = logged(0)
  quiet.log.debug('detail')
  const loud = logged(1)
  loud.log.debug('detail')
  expect([quiet.lines.length, loud.lines.length]).toEqual([0, 1])
})
