/**
 * Who may import whom. Each package declares its layer once in its package.json (`"nx": { "tags": ["layer:pure"] }`);
 * the rules below are made from those tags, so a new package is under them from its first file.
 */
const { readdirSync, readFileSync } = require('node:fs')
const { join } = require('node:path')

const layers = ['prelude', 'pure', 'adapter', 'service', 'app', 'tool']

const packages = ['libs', 'apps', 'tools'].flatMap((root) =>
  readdirSync(join(__dirname, root), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => {
      const folder = `${root}/${entry.name}`
      let text
      try {
        text = readFileSync(join(__dirname, folder, 'package.json'), 'utf8')
      } catch {
        return []
      }
      const tags = JSON.parse(text).nx?.tags ?? []
      const layer = tags.map((tag) => /^layer:(.+)$/.exec(tag)?.[1]).find((name) => layers.includes(name))
      if (layer === undefined)
        throw new Error(`${folder}/package.json: declare one of layer:${layers.join(', layer:')} in nx.tags`)
      return [{ folder, layer }]
    }),
)

const foldersOf = (...wanted) => packages.filter(({ layer }) => wanted.includes(layer)).map(({ folder }) => folder)
/** Sources of the layers; a pattern that matches nothing where a layer has no package. */
const sources = (...wanted) => `^(${[...foldersOf(...wanted), '-'].join('|')})/src/`
/** Everything but the packages that own the thing. */
const allBut = (...folders) => ({
  path: sources(...layers),
  pathNot: [...folders.map((folder) => `^${folder}/`), tests],
})

const tests = '(\\.test\\.ts$|/test/|/e2e/|/contract\\.ts$)'
const builtin = (...names) => `^(node:)?(${names.join('|')})(/|$)`
/** Also where it is not installed: then the bare name is all there is. */
const npm = (...names) => `((^|/)node_modules/|^)(${names.join('|')})(/|$)`

/** Each layer and the layers it must not know. */
const forbiddenLayers = {
  prelude: ['pure', 'adapter', 'service', 'app', 'tool'],
  pure: ['adapter', 'service', 'app', 'tool'],
  adapter: ['service', 'app', 'tool'],
  service: ['app', 'tool'],
  app: ['app', 'tool'],
}

const layerRules = Object.entries(forbiddenLayers).map(([from, to]) => ({
  name: `${from}-imports-down`,
  comment: `${from} may import its own layer and those below it, never ${to.join(', ')}`,
  severity: 'error',
  from: { path: `^(${[...foldersOf(from), '-'].join('|')})/` },
  // $1 is the importing package's own folder: an app may import itself, not another app.
  to: { path: `^(${[...foldersOf(...to), '-'].join('|')})/`, pathNot: '^$1/' },
}))

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'pure-has-no-io',
      comment: 'pure libraries and the prelude are given what they need: no node: module',
      severity: 'error',
      from: { path: sources('pure', 'prelude'), pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-has-few-dependencies',
      comment: 'pure libraries use ts-pattern, sorted-btree, @noble/hashes and each other',
      severity: 'error',
      from: { path: sources('pure', 'prelude'), pathNot: tests },
      to: { path: '(^|/)node_modules/', pathNot: npm('ts-pattern', 'sorted-btree', '@noble/hashes') },
    },
    {
      name: 'service-constructs-no-adapter',
      // kv-server is a server as a library: openServer and openStore are what constructs it, so that a program embeds
      // the store with one call. What they construct, and the threads that hold the log, are named here; all else in
      // kv-server is under the rule.
      comment: 'services know ports; apps choose the adapter: no store client, no socket, no file',
      severity: 'error',
      from: {
        path: sources('service'),
        pathNot: [tests, '^libs/kv-server/src/(threads/|open-store\\.ts$|server\\.ts$|worker\\.ts$)'],
      },
      to: {
        path: [
          builtin('fs', 'net', 'http', 'https', 'http2', 'tls', 'dgram', 'child_process', 'worker_threads'),
          '^libs/(kv-client|wal|grpc|linux-net|pki|daemon|cli)/',
        ],
        // values and the port to the kernel, with its fake: no I/O
        pathNot: '^libs/linux-net/src/state/',
      },
    },
    {
      name: 'linux-net-state-has-no-io',
      comment: 'the values, the diff and the port of linux-net are what services and dry runs may know',
      severity: 'error',
      from: { path: '^libs/linux-net/src/state/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'linux-net-state-stands-alone',
      comment: 'what starts programs imports the values, never the other way round',
      severity: 'error',
      from: { path: '^libs/linux-net/src/state/', pathNot: tests },
      to: { path: '^libs/linux-net/src/(?!state/)' },
    },
    {
      name: 'daemons-start-no-program',
      comment:
        'ip, bridge, nft and iptables are started by linux-net, units by systemd: the daemons ask these libraries',
      severity: 'error',
      from: { path: '^apps/(kvd|fleetd|flanneld)/src/', pathNot: tests },
      to: { path: builtin('child_process') },
    },
    {
      name: 'only-linux-net-knows-ffi',
      severity: 'error',
      from: allBut('libs/linux-net'),
      to: { path: npm('koffi') },
    },
    {
      name: 'only-systemd-knows-d-bus',
      severity: 'error',
      from: allBut('libs/systemd'),
      to: { path: npm('dbus-next') },
    },
    {
      name: 'only-http-knows-node-http',
      severity: 'error',
      from: allBut('libs/http', 'libs/grpc', 'tools/[^/]+'),
      to: { path: builtin('http', 'https', 'http2', 'tls') },
    },
    {
      name: 'few-open-sockets',
      comment: 'systemd: the supervisor of processes is asked over a Unix socket and reads pipes',
      severity: 'error',
      from: allBut('libs/http', 'libs/grpc', 'libs/systemd', 'tools/[^/]+'),
      to: { path: builtin('net') },
    },
    {
      name: 'only-daemon-knows-logs-and-metrics',
      severity: 'error',
      from: allBut('libs/daemon'),
      to: { path: npm('pino', 'prom-client') },
    },
    {
      name: 'only-cli-knows-commander',
      severity: 'error',
      from: allBut('libs/cli'),
      to: { path: npm('commander', 'picocolors') },
    },
    {
      name: 'only-kv-client-knows-etcd',
      comment: 'fleet and flannel are written against the port: kv-client is constructed by apps and tools',
      severity: 'error',
      from: {
        path: sources('prelude', 'pure', 'adapter', 'service'),
        pathNot: ['^libs/(kv-client|kv-server)/', tests],
      },
      to: { path: '^libs/(kv-client|kv-server)/' },
    },
    {
      name: 'packages-meet-at-their-names',
      comment: 'import @cluster/x, not a path into another package',
      severity: 'error',
      from: { path: '^(libs|apps|tools)/([^/]+)/' },
      to: { path: '^(libs|apps|tools)/[^/]+/', pathNot: '^$1/$2/', dependencyTypes: ['local'] },
    },
    {
      name: 'tests-are-not-imported',
      severity: 'error',
      from: { path: sources(...layers), pathNot: tests },
      to: { path: '(\\.test\\.ts$|^(libs|apps|tools)/[^/]+/(test|e2e)/)' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'imports-resolve',
      comment: 'an import that cannot be resolved would hide from every other rule',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'dependencies-are-declared',
      comment: 'what a package imports stands in its own package.json',
      severity: 'error',
      from: { path: '^(libs|apps|tools)/[^/]+/src/', pathNot: tests },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Anchored at our own folders: an npm package's dist/ must stay visible.
    exclude: { path: '^(libs|apps|tools)/[^/]+/(dist|tmp)/|^tools/vectors/sets/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@cluster/source', 'import', 'node', 'default'],
    },
  },
}
