/**
 * `npm test`: every check there is, from a fresh clone. Parts: `npm test -- unit` (all but the lab), `npm test -- e2e`
 * (the lab alone, on our store), `npm test -- e2e-etcd` or `npm test -- e2e --etcd` (all of the lab on Debian's etcd).
 * Closes with the line "N passed, N failed"; parts that this host cannot run are named with the reason.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import {
  build,
  ensureBrowser,
  ensureLabPrograms,
  ensurePackages,
  labObstacles,
  labProjects,
  repository,
  runMain,
} from './prepare.mjs'

const parts = ['unit', 'e2e', 'e2e-etcd']
/** Of the scenarios on etcd these are what the whole run has time for: what the store means to units and machines. */
const shortOnEtcd = ['control-plane', 'machine-loss']
const tally = { passed: 0, failed: 0 }
const leftOut = []
const failures = []
const startMs = performance.now()

await runMain(async () => {
  const [asked, ...more] = wordsOf(process.argv.slice(2))
  if (more.length > 0 || (asked !== undefined && !parts.includes(asked))) {
    process.stderr.write(
      `"${[asked, ...more].join(' ')}" is no part of the tests; parts: ${parts.join(', ')}; none: all\n`,
    )
    return 2
  }
  await ensurePackages()
  // Debian's etcd is also what the store's contract and conformance tests start.
  const withEtcd = asked !== 'e2e'
  const obstacles = labObstacles({ withEtcd })
  if (obstacles.length === 0) await ensureLabPrograms({ withEtcd })
  if (asked === undefined || asked === 'unit') {
    await ensureBrowser()
    await runUnit()
  }
  if (asked !== 'unit') await runLab(obstacles, asked)
  return conclude()
})

/** `e2e --etcd` is the part `e2e-etcd`. */
function wordsOf(args) {
  return args.join(' ') === 'e2e --etcd' ? ['e2e-etcd'] : args
}

async function runUnit() {
  await check('lint: biome', 'node_modules/.bin/biome', ['check', '--error-on-warnings', '.'])
  await check('lint: layers', 'node_modules/.bin/depcruise', [
    '--config',
    '.dependency-cruiser.cjs',
    'libs',
    'apps',
    'tools',
  ])
  await check('nothing unused: knip', 'node_modules/.bin/knip', ['--no-progress', '--treat-config-hints-as-errors'])
  await checkProjects('typecheck')
  await checkProjects('build')
  await runVitest('unit, property, vector and contract tests', 'tools/bootstrap/all-tests.vitest.config.ts')
}

async function runLab(obstacles, asked) {
  if (obstacles.length > 0) {
    leftOut.push(['end-to-end scenarios in the lab', obstacles.join('; ')])
    return
  }
  // The scenarios run from source, but what boots their cluster resolves the libraries as built.
  await build([...labProjects, '@cluster/kvctl', '@cluster/prelude', '@cluster/cli', '@cluster/vectors'])
  await runOverlay()
  const config = 'tools/lab/vitest.e2e.config.ts'
  const onKvd = () =>
    runVitest('end-to-end scenarios on real systemd machines', config, { env: { CLUSTER_LAB_STORE: 'kvd' } })
  const onEtcd = (more) => runVitest("end-to-end scenarios on Debian's etcd", config, more)
  const env = { CLUSTER_LAB_STORE: 'etcd' }
  if (asked === 'e2e') await onKvd()
  else if (asked === 'e2e-etcd') await onEtcd({ env })
  else {
    // Side by side in a lab of its own: most of the time of a scenario is waiting for leases to run out.
    const besides = { ...env, CLUSTER_LAB_NAME: `${(process.env.CLUSTER_LAB_NAME || 'e2e').slice(0, 4)}etc` }
    await Promise.all([onKvd(), onEtcd({ env: besides, files: shortOnEtcd, isHeldBack: true })])
  }
}

/** The overlay in network namespaces: what was recorded of the original, and what packets must do. */
async function runOverlay() {
  const title = 'recorded overlays'
  const { output, code, seconds } = await run(title, ['tools/vectors/dist/vectors.js', 'flannel-lab'])
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? []
  if (passed === undefined) count(title, code === 0, output, seconds)
  else {
    tally.passed += Number(passed)
    tally.failed += Number(failed)
    if (code !== 0) {
      failures.push(title)
      process.stdout.write(`${output.trimEnd()}\n`)
    }
    say(`${title}: ${passed} passed, ${failed} failed (${seconds} s)`)
  }
  await runVitest('the overlay between machines', 'tools/lab/vitest.overlay.config.ts')
}

function conclude() {
  for (const [part, reason] of leftOut) process.stdout.write(`left out: ${part}: ${reason}\n`)
  for (const failure of failures) process.stdout.write(`failed: ${failure}\n`)
  process.stdout.write(`all of it took ${Math.round((performance.now() - startMs) / 1000)} s\n`)
  process.stdout.write(`${tally.passed} passed, ${tally.failed} failed\n`)
  return tally.failed === 0 ? 0 : 1
}

/** One check that counts as one test. */
async function check(title, file, args) {
  const { code, output, seconds } = await run(title, [file, ...args])
  count(title, code === 0, output, seconds)
}

/** One nx target over all projects; each project counts as one test. */
async function checkProjects(target) {
  const args = ['node_modules/.bin/nx', 'run-many', '-t', target, '--output-style=static']
  const { code, output, seconds } = await run(target, args)
  const total = Number(/Running target \S+ for (\d+) projects/.exec(output)?.[1] ?? 0)
  const failed = [...output.matchAll(/^\s*- (\S+):(\w+)\s*$/gm)].flatMap(([, project, of]) =>
    of === target ? [project] : [],
  )
  if (total === 0 || (code !== 0) !== failed.length > 0) {
    count(target, code === 0, output, seconds)
    return
  }
  tally.passed += total - failed.length
  tally.failed += failed.length
  for (const project of failed) failures.push(`${target} of ${project}`)
  if (failed.length > 0) process.stdout.write(`${output.trimEnd()}\n`)
  say(`${target}: ${total - failed.length} projects passed, ${failed.length} failed (${seconds} s)`)
}

/**
 * One vitest run; its own report goes to the terminal, at its end when it is held back for another's sake, and its
 * figures into the tally.
 */
async function runVitest(title, config, { env = {}, files = [], isHeldBack = false } = {}) {
  const folder = mkdtempSync(`${tmpdir()}/cluster-test-`)
  const report = `${folder}/report.json`
  say(`${title} …`)
  try {
    const code = await new Promise((resolve, reject) => {
      const args = [
        'run',
        ...files,
        `--config=${config}`,
        '--reporter=default',
        '--reporter=json',
        `--outputFile.json=${report}`,
      ]
      const child = spawn(process.execPath, ['node_modules/.bin/vitest', ...args], {
        cwd: repository,
        stdio: isHeldBack ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
        env: { ...process.env, ...env },
      })
      const output = []
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk))
      child.on('error', reject)
      child.on('close', (exit) => {
        process.stdout.write(Buffer.concat(output))
        resolve(exit ?? 1)
      })
    })
    countReport(title, code, existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function countReport(title, code, report) {
  if (report === undefined) {
    tally.failed += 1
    failures.push(`${title}: no report was written`)
    return
  }
  const results = report.testResults ?? []
  const tests = results.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })))
  const failed = tests.filter(({ status }) => status === 'failed')
  // A file that cannot even be loaded has no tests to count, and must not pass for that.
  const broken = results.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  )
  const skipped = tests.filter(({ status }) => status !== 'failed' && status !== 'passed')
  tally.passed += tests.filter(({ status }) => status === 'passed').length
  tally.failed += failed.length + broken.length
  for (const test of failed) failures.push(`${test.file.replace(`${repository}/`, '')}: ${test.fullName}`)
  for (const file of broken) failures.push(`${file.name.replace(`${repository}/`, '')}: ${file.message}`)
  if (skipped.length > 0) {
    const names = skipped.slice(0, 5).map(({ fullName }) => fullName)
    leftOut.push([`${skipped.length} tests that skip themselves on this host`, names.join('; ')])
  }
  if (code !== 0 && failed.length + broken.length === 0) {
    tally.failed += 1
    failures.push(`${title}: vitest ended with code ${code} though no test failed (see its report above)`)
  }
}

function count(title, isGood, output, seconds) {
  tally[isGood ? 'passed' : 'failed'] += 1
  if (isGood) {
    say(`${title}: passed (${seconds} s)`)
    return
  }
  failures.push(title)
  process.stdout.write(`${output.trimEnd()}\n`)
  say(`${title}: failed (${seconds} s)`)
}

function run(title, args) {
  const stepMs = performance.now()
  const pulse = setInterval(() => say(`${title}: ${Math.round((performance.now() - stepMs) / 1000)} s …`), 15_000)
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', NO_COLOR: '1', FORCE_COLOR: '0' },
    })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => (output += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk) => (output += chunk))
    child.on('error', (error) => {
      clearInterval(pulse)
      reject(error)
    })
    child.on('close', (code) => {
      clearInterval(pulse)
      resolve({ code: code ?? 1, output, seconds: Math.round((performance.now() - stepMs) / 1000) })
    })
  })
}

function say(text) {
  process.stdout.write(`${text}\n`)
}
