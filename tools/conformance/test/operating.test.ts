/** Every procedure of the operating guide, run as it stands there against the built programs. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { freePort } from '../src/server-process.ts'
import { unpackDirectory } from './data-directory-text.ts'
import { readHistory } from './data-history.ts'
import { createHost, guideBlocks, type Host, kvdDist, procedure } from './guide.ts'

const fixture = join(import.meta.dirname, 'fixtures/data-v1')

// Each of them starts a store several times; a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let host: Host
beforeEach(async () => {
  host = await createHost()
})
afterEach(() => host[Symbol.asyncDispose]())

async function done(script: string, variables: Readonly<Record<string, string>> = {}): Promise<string> {
  const { exit, stdout, stderr } = await host.run(script, variables)
  expect({ exit, stderr, stdout: exit === 0 ? '' : stdout }).toEqual({ exit: 0, stderr: '', stdout: '' })
  return stdout
}

const start = 'systemctl start kvd\n'

describe('the guide', () => {
  it('has no procedure that is not run here', () => {
    const marks = [...guideBlocks().keys()].map((mark) => mark.replace('procedure:', ''))
    expect(marks.sort()).toEqual(
      ['auth', 'backup', 'corruption', 'full-disk', 'restore', 'tls', 'unit:kvd.service', 'upgrade'].sort(),
    )
  })

  it('links to documents that are there', () => {
    const guide = readFileSync(join(import.meta.dirname, '../../../docs/operating.md'), 'utf8')
    const links = [...guide.matchAll(/\]\(([^)#]+)\)/g)].map(([, link = '']) => link)
    expect(links.filter((link) => !existsSync(join(import.meta.dirname, '../../../docs', link)))).toEqual([])
  })
})

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
describe('the unit file', () => {
  it.skipIf(!hasSystemd)('is accepted by systemd (needs systemd-analyze)', () => {
    const unit = guideBlocks().get('unit:kvd.service') ?? ''
    const path = join(host.folder, 'kvd.service')
    // The program and its user are not on this machine.
    writeFileSync(path, unit.replace('/opt/kvd/kvd.cjs', process.execPath).replace('User=kvd', 'User=root'))
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' })
    const lines = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('kvd.service'))
    expect(lines).toEqual([])
  })
})

describe('backup and restore', () => {
  it('bring back what was acknowledged before the backup, and only that', async () => {
    await done(`${start}kvctl set /kept 1\nkvctl set /last before`)
    expect(await done(procedure('backup'))).toMatch(/^whole$/m)
    await done('kvctl set /kept 2\nkvctl set /later after')
    expect(await done(procedure('restore'))).toContain('cluster is healthy')
    expect(await done('kvctl get /kept\nkvctl get /last\nkvctl ls')).toBe('1\nbefore\n/kept\n/last\n')
  })

  it('leave a store that starts by itself from then on', async () => {
    await done(`${start}kvctl set /a 1\n${procedure('backup')}${procedure('restore')}`)
    const members = await done('kvctl member list')
    expect(await done('systemctl restart kvd\nkvctl member list')).toBe(members)
    expect(members).toContain('peerURLs=http://localhost:2380,http://localhost:7001')
    expect(await done('kvctl get /a')).toBe('1\n')
  })

  it('refuse a backup that nobody has made a cluster of', async () => {
    await done(`${start}kvctl set /a 1\n${procedure('backup')}systemctl stop kvd\nrm -r "$DATA"\nmv "$BACKUP" "$DATA"`)
    expect(await host.run(start)).toMatchObject({ exit: 1, stderr: 'kvd.service failed, exit 1\n' })
    expect(host.journal()).toContain('the data directory knows of 2 members')
  })
})

/** A private mount namespace: what is mounted there is gone with its last process. */
const namespaces = [
  { who: 'root', command: ['unshare', '--mount'] },
  { who: 'an ordinary user with a namespace of his own', command: ['unshare', '--user', '--map-root-user', '--mount'] },
].map((one) => {
  const [program = '', ...args] = [...one.command, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']
  return { ...one, mayMount: spawnSync(program, args).status === 0 }
})

describe('a full disk', () => {
  for (const { who, command, mayMount } of namespaces) {
    it.skipIf(!mayMount)(
      `refuses writes, serves the rest, and recovers by itself (needs to mount, as ${who})`,
      async () => {
        const disk = join(host.folder, 'disk')
        mkdirSync(disk)
        const answer = (method: string, rest: string): string =>
          `curl -s -o answer -w '${method} %{http_code} ' -X ${method} ${rest}; tail -n 1 answer`
        const script = `
        mount -t tmpfs -o size=320m tmpfs "$DISK"
        sed -i "s|^ETCD_DATA_DIR=.*|ETCD_DATA_DIR=$DATA|" "$ENVIRONMENT_FILE"
        systemctl start kvd
        trap 'systemctl stop kvd' EXIT
        kvctl set /kept before
        kvctl set /unwanted x
        head -c 400M /dev/zero 2> /dev/null > "$REMOVABLE" || true
        tried=0
        while kvctl set /filler x > /dev/null 2>&1; do tried=$((tried + 1)); sleep 0.05; done
        echo "refused after no more than 100: $((tried <= 100))"
        ${answer('PUT', '"$URL/v2/keys/refused" -d value=1')}
        ${answer('GET', '"$URL/v2/keys/kept"')}
        ${answer('DELETE', '"$URL/v2/keys/unwanted"')}; echo
        ${answer('GET', '"$URL/health"')}; echo
        until curl -s "$URL/metrics" | grep -q '^kv_disk_has_room 0$'; do sleep 0.05; done
        echo "== procedure"
        ${procedure('full-disk')}
        echo "== after"
        kvctl get /kept
        kvctl get /refused 2>&1 || true
      `
        const variables = { DISK: disk, DATA: join(disk, 'data'), REMOVABLE: join(disk, 'other-files') }
        const { exit, stdout, stderr } = await host.runBehind(command, script, variables)
        expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
        const [before = '', during = '', after = ''] = stdout.split(/^== \w+\n/m)
        expect(before).toContain('refused after no more than 100: 1\n')
        expect(before).toContain(
          'PUT 500 {"errorCode":300,"message":"Raft Internal Error","cause":"etcdserver: no space","index":0}\n',
        )
        expect(before).toMatch(/^GET 200 .*"value":"before"/m)
        expect(before).toMatch(/^DELETE 200 /m)
        expect(before).toContain('GET 200 {"health": "true"}')
        expect(during).toMatch(/^kv_disk_has_room 0\n/)
        expect(during).toMatch(/\nagain\n$/)
        expect(after).toMatch(/^before\nError: {2}100: Key not found \(\/refused\) \[\d+\]\n$/)
      },
    )
  }
})

describe('corruption', () => {
  it('is refused at the start, shown by the procedure, and healed by a backup', async () => {
    await done(
      `${start}kvctl set /k1 one\n${procedure('backup')}kvctl set /k2 two\nkvctl set /k3 three\nsystemctl stop kvd`,
    )
    const segment = flipByte(join(host.dataDirectory, 'log'), '/1/k2')
    const broken = readFileSync(segment)
    expect(await host.run(start)).toMatchObject({ exit: 1, stderr: 'kvd.service failed, exit 1\n' })
    expect(host.journal()).toMatch(/^kvd: \S+\.log is damaged at byte \d+: .*\nkvd: acknowledged data would be lost/m)
    expect(readFileSync(segment).equals(broken)).toBe(true)

    const shown = await done(procedure('corruption'))
    expect(shown).toMatch(/^error: \S+\.log at byte \d+: .*\ndamaged\ndamaged\nthe dump ends at the damage\n$/m)
    const dump: unknown = JSON.parse(readFileSync(`${host.dataDirectory}.dump.json`, 'utf8'))
    expect(JSON.stringify(dump)).toContain('"path":"/1/k1"')

    expect(await done(procedure('restore'))).toContain('cluster is healthy')
    expect(await done('kvctl ls')).toBe('/k1\n')
  })

  it('does not mean a tail that was never flushed: that is set aside', async () => {
    await done(`${start}kvctl set /k1 one\nsystemctl stop kvd`)
    const log = join(host.dataDirectory, 'log')
    const [segment = ''] = readdirSync(log).filter((name) => name.endsWith('.log'))
    const bytes = readFileSync(join(log, segment))
    const used =
      bytes.length -
      (Buffer.from(bytes)
        .reverse()
        .findIndex((byte) => byte !== 0) ?? 0)
    bytes.write('half a record', Math.ceil(used / 512) * 512)
    writeFileSync(join(log, segment), bytes)
    expect(await done(`${start}kvctl get /k1`)).toBe('one\n')
    expect(host.journal()).toMatch(/log repaired .*were never flushed: set aside as \S+\.broken/)
  })
})

/** Turns a byte behind the last place of `text` around; the path of the segment. */
function flipByte(log: string, text: string): string {
  const [name = ''] = readdirSync(log).filter((one) => one.endsWith('.log'))
  const path = join(log, name)
  const bytes = readFileSync(path)
  const at = bytes.indexOf(text) + text.length + 1
  bytes[at] = (bytes[at] ?? 0) ^ 0xff
  writeFileSync(path, bytes)
  return path
}

describe('upgrade', () => {
  it('of a directory of version 1 keeps all that it holds', async () => {
    unpackDirectory(readFileSync(join(fixture, 'directory.txt'), 'utf8'), host.dataDirectory)
    const release = join(host.folder, 'new-release')
    mkdirSync(release)
    for (const name of ['kvd.cjs', 'kvd-worker.cjs']) copyFileSync(join(kvdDist, name), join(release, name))
    await done(start)
    expect(await done(procedure('upgrade'), { NEW_RELEASE: release })).toContain('cluster is healthy')
    const shown: unknown = JSON.parse(readFileSync(join(fixture, 'shown.json'), 'utf8'))
    expect(await readHistory(host.url)).toEqual(shown)
    expect(await done('readlink "$PROGRAMS"')).toBe(`${release}\n`)
    expect(await done('kvctl check "$BACKUP"')).toMatch(/^whole$/m)
  })

  it('refuses a directory of a newer version by name, and leaves it as it is', async () => {
    unpackDirectory(readFileSync(join(fixture, 'directory.txt'), 'utf8'), host.dataDirectory)
    const log = join(host.dataDirectory, 'log')
    const [name = ''] = readdirSync(log).filter((one) => one.endsWith('.log'))
    const bytes = readFileSync(join(log, name))
    // The fourth byte of a segment is the version of its format. Its checksum is another one, too: one byte alone that
    // differs is damage.
    bytes[3] = 2
    bytes.fill(7, 28, 32)
    writeFileSync(join(log, name), bytes)
    expect(await host.run(start)).toMatchObject({ exit: 1 })
    expect(host.journal()).toMatch(/format version 2[\s\S]*open it with the version of the program that wrote it/)
    expect(readFileSync(join(log, name)).equals(bytes)).toBe(true)
  })
})

describe('users and rights', () => {
  it('are closed to guests by the procedure', async () => {
    const passwords = { ROOT_PASSWORD: 'r00t', FLEET_PASSWORD: 'fl33t' }
    await done(`${start}kvctl set /open yes`)
    await done(procedure('auth'), passwords)
    const key = '/_coreos.com/fleet/x'
    expect(await done(`kvctl -u fleet:fl33t set ${key} 1`)).toBe('1\n')
    for (const refused of ['kvctl get /open', 'kvctl -u fleet:fl33t get /open', `kvctl -u fleet:wrong get ${key}`]) {
      expect(await host.run(refused)).toMatchObject({ exit: 4, stdout: '' })
    }
    expect(await done('kvctl -u root:r00t get /open')).toBe('yes\n')
  })
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
describe('TLS', () => {
  it.skipIf(!hasOpenssl)('is set up by the procedure (needs openssl)', async () => {
    const tls = join(host.folder, 'tls')
    mkdirSync(tls)
    const tlsUrl = `https://127.0.0.1:${await freePort()}`
    await done(`${start}kvctl set /plain yes`)
    expect(await done(procedure('tls'), { TLS: tls, TLS_URL: tlsUrl })).toBe('yes\n')
    const strange = await host.run(`kvctl --endpoints ${tlsUrl} --no-sync get /over/tls`)
    expect([strange.exit, strange.stdout]).toEqual([4, ''])
  })
})
