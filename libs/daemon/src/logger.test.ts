import { ClusterError } from '@cluster/prelude'
import { describe, expect, it } from 'vitest'
import { createLogger, type LogFormat } from './logger.ts'
import { Secret } from './secret.ts'

async function logged(format: LogFormat, level: 'debug' | 'info' = 'info') {
  const lines: string[] = []
  const log = await createLogger({ name: 'fleetd', level, format, write: (line) => void lines.push(line) })
  return { log, lines }
}

describe('createLogger', () => {
  it('writes lines for a person', async () => {
    const { log, lines } = await logged('text')
    log.info('unit placed', { unit: 'a.service', reason: 'least loaded machine', absent: undefined })
    expect(lines).toEqual(['INFO  unit placed unit=a.service reason="least loaded machine"\n'])
  })

  it('writes one line for each message, whatever is in it', async () => {
    const { log, lines } = await logged('text')
    log.warn('a\nb', { text: 'c\nd', path: 'C:\\x' })
    expect(lines).toEqual(['WARN  a b text="c\\nd" path="C:\\\\x"\n'])
  })

  it('writes priorities for the journal', async () => {
    const { log, lines } = await logged('journal', 'debug')
    log.debug('d')
    log.info('i')
    log.warn('w')
    log.error('e')
    expect(lines.map((line) => line.slice(0, 3))).toEqual(['<7>', '<6>', '<4>', '<3>'])
  })

  it('writes JSON with name, level, time and fields', async () => {
    const { log, lines } = await logged('json')
    log.error('task failed', {
      unit: 'a.service',
      error: new ClusterError('x/y', 'what', { hint: 'do', cause: 'why' }),
    })
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      level: 'error',
      time: expect.any(Number),
      name: 'fleetd',
      unit: 'a.service',
      error: { message: 'what', code: 'x/y', hint: 'do', cause: 'why' },
      msg: 'task failed',
    })
  })

  it.each(['text', 'json'] as const)('writes nothing below its level, as %s', async (format) => {
    const { log, lines } = await logged(format)
    log.debug('quiet')
    log.setLevel('debug')
    log.debug('loud')
    log.setLevel('error')
    log.warn('quiet again')
    expect(lines).toHaveLength(1)
  })

  it.each(['text', 'json'] as const)('hides secrets, as %s', async (format) => {
    const { log, lines } = await logged(format)
    log.info('connected', {
      key: new Secret('hunter2'),
      etcdPassword: 'hunter2',
      nested: [{ authorization: 'hunter2' }],
      endpoint: 'http://root:hunter2@10.0.0.1:2379',
      error: new Error('cannot reach https://root:hunter2@store/'),
    })
    expect(lines.join('')).not.toContain('hunter2')
    expect(lines.join('')).toContain('10.0.0.1:2379')
  })

  it('survives what cannot be printed', async () => {
    const { log, lines } = await logged('json')
    const circle: Record<string, unknown> = { big: 10n, call: () => 1 }
    circle['self'] = circle
    log.info('odd', { circle, map: new Map([['a', 1]]), set: new Set([1]), many: Array.from({ length: 200 }, () => 0) })
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      circle: { big: '10', call: '[function]', self: '[circular]' },
      map: { a: 1 },
      set: [1],
    })
  })
})
