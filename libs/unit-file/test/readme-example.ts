import {
  evaluateUnit,
  fixUnits,
  hashOptions,
  lintUnits,
  parseUnitFile,
  readAsFleet,
  readFleetRequirements,
  renderUnitFile,
  type SpecifierContext,
} from '@cluster/unit-file'

const text = `# greets
[Unit]
Description=Greeter %i

[Service]
Environment=WHO=%i
ExecStart=/bin/echo "hello  world" \\
    from \${WHO}

[X-Fleet]
Conflicts=hello@*.service
`

// 1. The source: blocks of lines, written back byte for byte.
const file = parseUnitFile(text)
console.log(renderUnitFile(file) === text, file.blocks.length)

// 2. As fleet reads it: a flat list, its hash, and what it asks of a machine.
const options = readAsFleet(text)
if (!options.ok) throw new Error(`line ${options.error.line}: ${options.error.message}`)
console.log(options.value.length, hashOptions(options.value).slice(0, 7))
console.log(readFleetRequirements('hello@1.service', options.value).conflicts)

// 3. As PID 1 sees it on a machine, with a drop-in on top.
const machine: SpecifierContext = {
  scope: 'system',
  architecture: 'x86-64',
  hostName: 'one',
  kernelRelease: '6.1.0',
  osRelease: {},
  machineId: '0'.repeat(32),
  bootId: '1'.repeat(32),
  user: 'root',
  uid: 0,
  group: 'root',
  gid: 0,
  home: '/root',
  shell: '/bin/sh',
  runtimeDir: '/run',
  stateDir: '/var/lib',
  cacheDir: '/var/cache',
  logsDir: '/var/log',
  configDir: '/etc',
  tmpDir: '/tmp',
  varTmpDir: '/var/tmp',
  credentialsDir: '/run/credentials',
}
const unit = evaluateUnit({
  unitName: 'hello@1.service',
  main: { path: 'hello@.service', text },
  dropIns: [{ path: '10-slow.conf', text: '[Service]\nRestart=alwyas\n' }],
  specifiers: machine,
})
console.log(unit.loadState, unit.description, unit.environment)
console.log(unit.commands.get('ExecStart')?.[0]?.argv)
console.log(unit.messages)

// 4. What is wrong with it, and the same with that repaired.
const files = [
  { path: 'web.service', text: '# keep me\n[Service]\nExecStart=/bin/web --port=$PORT\nRestart=on-fail\n' },
]
for (const { id, severity, path, range, message, remedy } of lintUnits(files)) {
  if (severity !== 'info') console.log(`${path}:${range.start.line} ${id} ${message}: ${remedy}`)
}
console.log(fixUnits(files).files[0]?.text)
