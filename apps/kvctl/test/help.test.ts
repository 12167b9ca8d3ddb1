import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { run } from './run-kvctl.ts'

it.each([
  [[]],
  [['set', '--help']],
  [['help', 'get']],
  [['user']],
  [['role', 'grant', '-h']],
  [['help', 'exec-watch']],
])('etcdctl %j shows a page', async (words) => {
  const { exit, stdout, stderr } = await run(words)
  expect([exit, stderr]).toEqual([0, ''])
  expect(stdout).toMatchSnapshot()
})

it('kvctl lists what it knows beyond etcdctl', async () => {
  const page = async (program: 'kvctl' | 'etcdctl') => (await run(['--help'], { program })).stdout
  expect(await page('kvctl')).toContain('completion')
  expect(await page('etcdctl')).not.toContain('completion')
})

it.each(['bash', 'zsh', 'fish'])('the completion for %s is there', async (shell) => {
  const { exit, stdout } = await run(['completion', shell], { program: 'kvctl' })
  expect([exit, stdout.includes('exec-watch')]).toEqual([0, true])
})

it.each([
  ['kvctl ', 'cluster-health'],
  ['kvctl --endpoints get ', 'cluster-health'],
  ['kvctl -o json user ', 'passwd'],
  ['kvctl set --', '--swap-with-value'],
])('bash completes %j with %s', async (line, word) => {
  const { stdout } = await run(['completion', 'bash'], { program: 'kvctl' })
  const words = line.split(' ')
  const script = `${stdout}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _kvctl; printf '%s\\n' "\${COMPREPLY[@]}"`
  const candidates = execFileSync('bash', ['--norc', '-c', script, 'bash', ...words], { encoding: 'utf8' })
  expect(candidates.split('\n')).toContain(word)
})

it('names the shells when none of them is asked for', async () => {
  expect(await run(['completion', 'ksh'], { program: 'kvctl' })).toEqual({
    exit: 1,
    stdout: '',
    stderr: 'no completion for "ksh"\nsay one of: bash, zsh, fish\n',
  })
})
