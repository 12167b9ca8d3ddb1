import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createWorld, fleetctlIn } from './run-fleetctl.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lint-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function put(name: string, text: string | Uint8Array, mode = 0o644): string {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

const lint = async (...args: readonly string[]) => {
  const { exit, stdout, stderr } = await fleetctlIn(createWorld(), ['lint', ...args])
  return { exit, stdout: stdout.replaceAll(`${folder}/`, ''), stderr: stderr.replaceAll(`${folder}/`, '') }
}

const good = '[Service]\nExecStart=/bin/true\nRestart=on-failure\n'
const bad = '# ours\n[Service]\nExecStart=/bin/true\nRestart=on-fail\n'

describe('lint', () => {
  it('tells place, line, caret and remedy, and ends with 1 when there are errors', async () => {
    expect(await lint(put('x.service', bad))).toEqual({
      exit: 1,
      stdout:
        'x.service:4:9: error UF025: Restart=on-fail is not understood: failed to parse service restart specifier, ignoring: on-fail\n' +
        '  4 | Restart=on-fail\n' +
        '    |         ^~~~~~~\n' +
        '    = write Restart=on-failure (--fix does it)\n',
      stderr: '1 error, 0 warnings in 1 file; --fix can repair 1; 1 of lower severity not shown (--severity info)\n',
    })
  })

  it('ends with 0 when there are none, warnings or not', async () => {
    const { exit, stdout } = await lint(put('x.service', `[Unit]\nRequires=a.service\n${good}`))
    expect(exit).toBe(0)
    expect(stdout).toContain('warning UF082')
  })

  it('takes a folder with all units and drop-ins below it, and nothing else', async () => {
    put('web.service', good)
    put('web.service.d/10-more.conf', '[Service]\nExecStart=/bin/false\n')
    put('deep/x.timer', '[Timer]\nOnCalendar=daily\n')
    put('README.md', '# no unit')
    put('.git/y.service', 'junk')
    const { stdout } = await lint('--output', 'json', folder)
    const findings: unknown = JSON.parse(stdout)
    const places = Array.isArray(findings) ? findings.map(({ id, path }) => `${id} ${path}`) : []
    expect(places).toEqual([
      'UF102 deep/x.timer',
      'UF041 web.service.d/10-more.conf',
      'UF109 web.service.d/10-more.conf',
    ])
  })

  it('finds the service of a timer beside it, though it is not named', async () => {
    const timer = put('x.timer', '[Timer]\nOnCalendar=daily\n')
    expect((await lint(timer)).exit).toBe(1)
    put('x.service', good)
    expect((await lint(timer)).exit).toBe(0)
  })

  it('shows advice with --severity info, and only errors with --severity error', async () => {
    const path = put('x.service', `[Unit]\nRequires=a.service\n${bad}`)
    expect((await lint('--severity', 'info', path)).stdout).toContain('info UF069')
    const { stdout } = await lint('--severity', 'error', path)
    expect(stdout).toContain('UF025')
    expect(stdout).not.toContain('UF082')
  })

  it('looks for programs and units on request', async () => {
    const path = put(
      'x.service',
      '[Unit]\nRequires=no-such-unit.service\nAfter=no-such-unit.service\n[Service]\nExecStart=/no/such/program\n',
    )
    expect((await lint(path)).stdout).toBe('')
    const { stdout } = await lint('--this-machine', path)
    expect(stdout).toContain('UF043')
    expect(stdout).toContain('UF089')
  })

  it('judges by the systemd that is named', async () => {
    const path = put('x.service', `${good}RestartSteps=3\n`)
    expect((await lint(path)).stdout).toContain('UF010')
    expect((await lint('--systemd-version', '254', path)).stdout).toBe('')
  })

  it('writes SARIF', async () => {
    const { exit, stdout } = await lint('--output', 'sarif', put('x.service', bad))
    expect(exit).toBe(1)
    const log: unknown = JSON.parse(stdout)
    expect(log).toMatchObject({ version: '2.1.0', runs: [{ results: [{ ruleId: 'UF025', level: 'error' }] }] })
  })

  it('shows no character that a terminal would act on', async () => {
    const { stdout } = await lint(put('x.service', `${good}Restart=\u001b[31mred\n`))
    expect(stdout).toContain('UF025')
    expect(stdout).not.toContain('\u001b')
  })
})

describe('lint --fix', () => {
  it('repairs in place, keeps comments and modes, and tells what it did', async () => {
    const path = put('x.service', bad, 0o600)
    expect(await lint('--fix', path)).toEqual({
      exit: 0,
      stdout: '',
      stderr:
        'x.service:4: fixed UF025: write Restart=on-failure\n' +
        '0 errors, 0 warnings in 1 file; 1 of lower severity not shown (--severity info)\n',
    })
    expect(readFileSync(path, 'utf8')).toBe(bad.replace('on-fail', 'on-failure'))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['x.service'])
  })

  it('writes through a link, which stays one', async () => {
    const path = put('real.service', bad)
    const link = join(folder, 'x.service')
    symlinkSync('real.service', link)
    await lint('--fix', link)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(path, 'utf8')).toContain('on-failure')
  })

  it('does not touch a file with nothing to repair', async () => {
    const path = put('x.service', good)
    const before = statSync(path).ino
    await lint('--fix', path)
    expect(statSync(path).ino).toBe(before)
  })

  it('leaves advice alone unless it is asked for', async () => {
    const path = put('x.service', '[Unit]\nDescription="x"\n[Service]\nExecStart=/bin/true\n')
    await lint('--fix', path)
    expect(readFileSync(path, 'utf8')).toContain('"x"')
    await lint('--fix', '--severity', 'info', path)
    expect(readFileSync(path, 'utf8')).toContain('Description=x\n')
  })

  it('leaves a file alone that another run is writing, and says so', async () => {
    const path = put('x.service', bad)
    put('.x.service.fleetctl-lint', '')
    const { exit, stderr } = await lint('--fix', path)
    expect(exit).toBe(1)
    expect(stderr).toContain('Cannot write x.service, it stays as it was')
    expect(readFileSync(path, 'utf8')).toBe(bad)
  })
})

describe('lint of stdin', () => {
  it('judges the text under the name that is given', async () => {
    const { exit, stdout } = await fleetctlIn(createWorld(), ['lint', '--name', 'x.timer', '-'], { stdin: '[Timer]\n' })
    expect(exit).toBe(1)
    expect(stdout).toContain('x.timer:1:1: error UF101')
  })

  it('gives the repaired text to stdout, and the rest to stderr', async () => {
    const outcome = await fleetctlIn(createWorld(), ['lint', '--fix', '-'], { stdin: bad })
    expect(outcome.stdout).toBe(bad.replace('on-fail', 'on-failure'))
    expect(outcome.stderr).toContain('stdin.service:4: fixed UF025')
  })

  it('gives a text with nothing to repair as it is', async () => {
    expect((await fleetctlIn(createWorld(), ['lint', '--fix', '-'], { stdin: good })).stdout).toBe(good)
  })
})

describe('lint of what cannot be read', () => {
  it.each([
    ['a missing file', ['nowhere.service'], 'there is no such file'],
    ['an empty folder', [''], 'there is no unit file in this folder'],
  ])('%s is said, with a remedy, and the exit code is 1', async (_what, names, message) => {
    const { exit, stderr } = await lint(...names.map((name) => join(folder, name)))
    expect(exit).toBe(1)
    expect(stderr).toContain(message)
  })

  it('goes on with the other files', async () => {
    const { exit, stdout } = await lint(join(folder, 'nowhere.service'), put('x.service', bad))
    expect(exit).toBe(1)
    expect(stdout).toContain('UF025')
  })

  it('asks for files when none is named', async () => {
    expect(await lint()).toMatchObject({ exit: 2, stderr: expect.stringContaining('Example: fleetctl lint units/') })
  })
})

describe('lint of a file with very many findings', () => {
  const many = `[Service]\n${'Nope=1\n'.repeat(300)}ExecStart=/bin/true\nRestart=on-fail\n`

  it('tells the worst ones, how many are left out, and how to see all', async () => {
    const { exit, stdout, stderr } = await lint('--max-findings', '5', put('x.service', many))
    expect(exit).toBe(1)
    expect(stdout.match(/x\.service:\d+:/g)).toHaveLength(5)
    expect(stdout).toContain('UF025')
    expect(stdout).toContain('x.service: 296 more findings are not told: 296 warnings (--max-findings 0 tells all)\n')
    expect(stderr).toContain('1 error, 300 warnings in 1 file')
  })

  it('tells 200 unless asked for more, and with 0 all', async () => {
    const file = put('x.service', many)
    expect(JSON.parse((await lint('--output', 'json', file)).stdout)).toHaveLength(201)
    expect(JSON.parse((await lint('--output', 'json', '--max-findings', '0', file)).stdout)).toHaveLength(301)
  })

  it('says it in JSON as the last entry, and in SARIF as a notification', async () => {
    const file = put('x.service', many)
    const json: unknown = JSON.parse((await lint('--output', 'json', file)).stdout)
    expect(Array.isArray(json) ? json.at(-1) : undefined).toMatchObject({ id: 'omitted', severity: 'warning' })
    const sarif: unknown = JSON.parse((await lint('--output', 'sarif', file)).stdout)
    expect(sarif).toMatchObject({
      runs: [
        {
          invocations: [
            { toolExecutionNotifications: [{ message: { text: expect.stringContaining('101 more findings') } }] },
          ],
        },
      ],
    })
  })

  it('says nothing of what would not have been shown', async () => {
    const { stdout } = await lint('--max-findings', '1', '--severity', 'error', put('x.service', many))
    expect(stdout).not.toContain('not told')
  })

  it('refuses one with more lines than a unit has', async () => {
    const { exit, stdout } = await lint(put('x.service', `[Service]\nExecStart=/bin/true\n${'\n'.repeat(30_000)}`))
    expect(exit).toBe(1)
    expect(stdout).toContain('x.service: not looked at: it has 30003 lines, and lint looks at files of 20000 at most')
  })
})
