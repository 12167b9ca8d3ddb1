/**
 * A bad and a good example of each finding: the bad one has it, the good one, which is the remedy, has not. Most of the
 * bad ones are those of which systemd-analyze verify was recorded (vectors, lint-examples.json).
 */
import type { LintId } from './catalogue.ts'
import type { LintContext, LintFile } from './finding.ts'

/** Files in which a finding is, and the same files put right. */
export type LintExample = {
  readonly bad: readonly LintFile[]
  readonly good: readonly LintFile[]
  /** What both are looked at with. */
  readonly context?: LintContext
}

const file = (path: string, text: string, mode?: number): LintFile =>
  mode === undefined ? { path, text } : { path, text, mode }

/** The examples of each finding. */
export const lintExamples: Readonly<Record<LintId, LintExample>> = {
  UF001: { bad: [file('x.service', '')], good: [file('x.service', '[Service]\nExecStart=/bin/true\n')] },
  UF002: {
    bad: [file('x.service', '[Unit] # main\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '# main\n[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n')],
  },
  UF003: {
    bad: [file('x.service', '[Unit]\nDescription=caf\udce9\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nDescription=café\n[Service]\nExecStart=/bin/true\n')],
  },
  UF004: {
    bad: [file('x.service', '[Unit]\nDescription: x\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n')],
  },
  UF005: {
    bad: [file('x.service', 'Description=x\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n')],
  },
  UF006: {
    bad: [file('x.service', '[Servic]\nRestart=no\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[X-Servic]\nRestart=no\n[Service]\nExecStart=/bin/true\n')],
  },
  UF007: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\n[Socket]\nListenStream=80\n')],
    good: [file('x.socket', '[Socket]\nListenStream=80\n'), file('x.service', '[Service]\nExecStart=/bin/true\n')],
  },
  UF008: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nRestartSecs=5\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nRestartSec=5\n')],
  },
  UF009: {
    bad: [file('x.service', '[Unit]\nRestart=no\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nRestart=no\n')],
  },
  UF010: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nRestartSteps=3\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nRestartSec=3\n')],
  },
  UF011: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironment=A=1 \\ \n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironment=A=1 \\\n  B=2\n')],
  },
  UF012: {
    bad: [file('x.service', '[Unit]\nDescription=a \\\nAfter=b.service\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nDescription=a\nAfter=b.service\n[Service]\nExecStart=/bin/true\n')],
  },
  UF013: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironment=A=1 \\')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironment=A=1')],
  },
  UF014: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true a \\\n# c\n b\n')],
    good: [file('x.service', '[Service]\n# c\nExecStart=/bin/true a \\\n b\n')],
  },
  UF015: {
    bad: [file('x.service', '# see \\\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '# see\n[Service]\nExecStart=/bin/true\n')],
  },
  UF016: {
    bad: [file('x.service', `[Service]\nExecStart=/bin/true\nEnvironment=A=${'a'.repeat(2100)}\n`)],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironmentFile=/etc/x.env\n')],
  },
  UF017: {
    bad: [file('x.service', '[Unit]\nDescription=a # note\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '# note\n[Unit]\nDescription=a#1; b\n[Service]\nExecStart=/bin/true\n')],
  },
  UF018: {
    bad: [file('x.service', '\u00a0[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\n')],
  },
  UF019: {
    bad: [file('x.service', '[Unit]\nDescription=a\nDescription=b\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nDescription=b\n[Service]\nExecStart=/bin/true\n')],
  },
  UF020: {
    bad: [file('x.service', '[Unit]\nDescription="x"\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nDescription=the "x"\n[Service]\nExecStart=/bin/true\n')],
  },
  UF021: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nRemainAfterExit=maybe\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nRemainAfterExit=yes\n')],
  },
  UF022: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nTimeoutStopSec=5 secs.\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nTimeoutStopSec=5 s\n')],
  },
  UF023: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nRestartSec=5M\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nRestartSec=5min\n')],
  },
  UF024: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nMemoryMax=512MB\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nMemoryMax=512M\n')],
  },
  UF025: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nRestart=on-fail\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nRestart=on-failure\n')],
  },
  UF026: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nNice=30\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nNice=10\n')],
  },
  UF027: {
    bad: [file('x.timer', '[Timer]\nOnCalendar=every day\n')],
    good: [file('x.timer', '[Timer]\nOnCalendar=daily\n')],
  },
  UF028: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nReadWritePaths=var/x\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nReadWritePaths=/var/x\n')],
  },
  UF029: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironment=A B=1 1C=2\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironment="A=B c" C1=2\n')],
  },
  UF030: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironment="A=1 B=2\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironment="A=1 B=2"\n')],
  },
  UF031: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironment=A=50%z\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironment=A=50%%z\n')],
  },
  UF032: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nNice=%i\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nNice=5\n')],
  },
  UF033: {
    bad: [file('x.service', '[Unit]\nDescription=x %i\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x@.service', '[Unit]\nDescription=x %i\n[Service]\nExecStart=/bin/true\n')],
  },
  UF034: {
    bad: [file('x.service', '[Unit]\nDescription=%c\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nDescription=%n\n[Service]\nExecStart=/bin/true\n')],
  },
  UF035: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironmentFile=/etc/a /etc/b\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironmentFile=/etc/a\nEnvironmentFile=/etc/b\n')],
  },
  UF036: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironment=DB_PASSWORD=hunter2\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nLoadCredential=password:/etc/x/password\n')],
  },
  UF037: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nCapabilityBoundingSet=CAP_NET_BINDSERVICE\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n')],
  },
  UF040: {
    bad: [file('x.service', '[Service]\nType=simple\n')],
    good: [file('x.service', '[Service]\nType=simple\nExecStart=/bin/true\n')],
  },
  UF041: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nExecStart=/bin/false\n')],
    good: [file('x.service', '[Service]\nType=oneshot\nExecStart=/bin/true\nExecStart=/bin/false\n')],
  },
  UF042: {
    bad: [file('x.service', '[Service]\nExecStart=bin/true\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\n')],
  },
  UF043: {
    bad: [file('x.service', '[Service]\nExecStart=/usr/bin/no-such-program\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\n')],
    context: { isExecutable: (path) => path === '/bin/true' },
  },
  UF044: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/echo "a\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/echo "a"\n')],
  },
  UF045: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/echo a | grep b && true > /tmp/x\n')],
    good: [file('x.service', "[Service]\nExecStart=/bin/sh -c 'echo a | grep b && true > /tmp/x'\n")],
  },
  UF046: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/echo --port=$PORT\nEnvironment=PORT=1\n')],
    good: [file('x.service', `[Service]\nExecStart=/bin/echo --port=\${PORT}\nEnvironment=PORT=1\n`)],
  },
  UF047: {
    bad: [file('x.service', `[Service]\nExecStart=/bin/sh -c 'echo \${x}'\n`)],
    good: [file('x.service', `[Service]\nExecStart=/bin/sh -c 'echo $\${x}'\n`)],
  },
  UF048: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/echo \\$X\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/echo $$X\n')],
  },
  UF049: {
    bad: [file('x.service', '[Service]\nType=oneshot\nExecStart=/bin/echo a; /bin/echo b\n')],
    good: [file('x.service', '[Service]\nType=oneshot\nExecStart=/bin/echo a ; /bin/echo b\n')],
  },
  UF050: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/date +%Y-%m\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/date +%%Y-%%m\n')],
  },
  UF051: {
    bad: [file('x.service', '[Service]\nExecStart=$JAVA_HOME/bin/java\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\n')],
  },
  UF052: {
    bad: [file('x.service', `[Service]\nExecStart=/bin/echo \${NOWHERE}\n`)],
    good: [file('x.service', `[Service]\nExecStart=/bin/echo \${SOMEWHERE}\nEnvironment=SOMEWHERE=x\n`)],
  },
  UF053: {
    bad: [file('x.service', '[Service]\nExecStart=/usr/bin/nohup /bin/true &\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\n')],
  },
  UF054: {
    bad: [file('x.service', '[Service]\nExecStart=/usr/bin/docker run -d --name a img\n')],
    good: [file('x.service', '[Service]\nExecStart=/usr/bin/docker run --rm --name a img -d\n')],
  },
  UF055: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nExecStop=/bin/kill $MAINPID\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nKillSignal=SIGINT\n')],
  },
  UF060: {
    bad: [file('x.service', '[Service]\nType=dbus\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Service]\nType=dbus\nBusName=org.example.X\nExecStart=/bin/true\n')],
  },
  UF061: {
    bad: [file('x.service', '[Service]\nType=oneshot\nRestart=always\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Service]\nType=oneshot\nRestart=on-failure\nExecStart=/bin/true\n')],
  },
  UF062: {
    bad: [file('x.service', '[Service]\nType=forking\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Service]\nType=forking\nPIDFile=/run/x.pid\nExecStart=/bin/true\n')],
  },
  UF063: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nKillMode=none\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nKillMode=mixed\n')],
  },
  UF064: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nMemoryLimit=1G\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nMemoryMax=1G\n')],
  },
  UF065: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nStartLimitInterval=10\n')],
    good: [file('x.service', '[Unit]\nStartLimitIntervalSec=10\n[Service]\nExecStart=/bin/true\n')],
  },
  UF066: {
    bad: [
      file(
        'x.service',
        '[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/true\nRestart=always\nRestartSec=0\n',
      ),
    ],
    good: [
      file(
        'x.service',
        '[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/true\nRestart=always\nRestartSec=5\n',
      ),
    ],
  },
  UF067: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/sleep infinity\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/sleep infinity\nRestart=on-failure\n')],
  },
  UF068: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nRestart=always\nRestartSec=30\n')],
    good: [
      file(
        'x.service',
        '[Unit]\nStartLimitIntervalSec=300\n[Service]\nExecStart=/bin/true\nRestart=always\nRestartSec=30\n',
      ),
    ],
  },
  UF069: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nUser=web\n')],
  },
  UF070: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\n')],
  },
  UF071: {
    bad: [file('x@.service', '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n')],
    good: [
      file(
        'x@.service',
        '[Service]\nExecStart=/bin/echo %i\n[Install]\nWantedBy=multi-user.target\nDefaultInstance=one\n',
      ),
    ],
  },
  UF072: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nPIDFile=/var/run/x.pid\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nPIDFile=/run/x.pid\n')],
  },
  UF073: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nStandardOutput=syslog\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\nStandardOutput=journal\n')],
  },
  UF080: {
    bad: [file('x.service', '[Unit]\nAfter=network\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nAfter=network.target\n[Service]\nExecStart=/bin/true\n')],
  },
  UF081: {
    bad: [file('x.service', '[Unit]\nAfter="a.service",b.service\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nAfter=a.service b.service\n[Service]\nExecStart=/bin/true\n')],
  },
  UF082: {
    bad: [file('x.service', '[Unit]\nRequires=a.service\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nRequires=a.service\nAfter=a.service\n[Service]\nExecStart=/bin/true\n')],
  },
  UF083: {
    bad: [file('x.service', '[Unit]\nAfter=network-online.target\n[Service]\nExecStart=/bin/true\n')],
    good: [
      file(
        'x.service',
        '[Unit]\nWants=network-online.target\nAfter=network-online.target\n[Service]\nExecStart=/bin/true\n',
      ),
    ],
  },
  UF084: {
    bad: [file('x.service', '[Unit]\nAfter=network.target\n[Service]\nExecStart=/bin/true\n')],
    good: [
      file(
        'x.service',
        '[Unit]\nWants=network-online.target\nAfter=network.target network-online.target\n[Service]\nExecStart=/bin/true\n',
      ),
    ],
  },
  UF085: {
    bad: [file('x.service', '[Unit]\nAfter=x.service\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nAfter=y.service\n[Service]\nExecStart=/bin/true\n')],
  },
  UF086: {
    bad: [file('x.service', '[Unit]\nAfter=y.service\nBefore=y.service\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nAfter=y.service\nBefore=z.service\n[Service]\nExecStart=/bin/true\n')],
  },
  UF087: {
    bad: [file('x.service', '[Unit]\nWants=a.service\nConflicts=a.service\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nWants=a.service\nConflicts=b.service\n[Service]\nExecStart=/bin/true\n')],
  },
  UF088: {
    bad: [file('x.service', '[Unit]\nAfter=\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nAfter=a.service\n[Service]\nExecStart=/bin/true\n')],
  },
  UF089: {
    bad: [file('x.service', '[Unit]\nRequires=no-such.service\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nWants=no-such.service\n[Service]\nExecStart=/bin/true\n')],
    context: { unitExists: () => false },
  },
  UF090: {
    bad: [
      file(
        'x.service',
        '[Unit]\nAfter=multi-user.target\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n',
      ),
    ],
    good: [
      file(
        'x.service',
        '[Unit]\nAfter=basic.target\n[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n',
      ),
    ],
  },
  UF100: {
    bad: [file('x.socket', '[Socket]\nAccept=no\n')],
    good: [
      file('x.socket', '[Socket]\nListenStream=80\nAccept=no\n'),
      file('x.service', '[Service]\nExecStart=/bin/true\n'),
    ],
  },
  UF101: {
    bad: [file('x.timer', '[Timer]\nPersistent=yes\n')],
    good: [file('x.timer', '[Timer]\nOnCalendar=daily\nPersistent=yes\n')],
  },
  UF102: {
    bad: [file('y.timer', '[Timer]\nOnBootSec=5\n')],
    good: [file('y.timer', '[Timer]\nOnBootSec=5\n'), file('y.service', '[Service]\nExecStart=/bin/true\n')],
  },
  UF103: {
    bad: [file('a.mount', '[Mount]\nWhat=tmpfs\nWhere=/b\nType=tmpfs\n')],
    good: [file('b.mount', '[Mount]\nWhat=tmpfs\nWhere=/b\nType=tmpfs\n')],
  },
  UF104: {
    bad: [file('z.timer', '[Timer]\nOnBootSec=5\nPersistent=yes\nUnit=z.service\n')],
    good: [file('z.timer', '[Timer]\nOnCalendar=daily\nPersistent=yes\nUnit=z.service\n')],
  },
  UF105: {
    bad: [file('w.socket', '[Socket]\nListenStream=7777\nAccept=yes\n')],
    good: [
      file('w.socket', '[Socket]\nListenStream=7777\nAccept=yes\n'),
      file('w@.service', '[Service]\nExecStart=/bin/cat\nStandardInput=socket\n'),
    ],
  },
  UF106: {
    bad: [file('a b.service', '[Service]\nExecStart=/bin/true\n')],
    good: [file('a\\x20b.service', '[Service]\nExecStart=/bin/true\n')],
  },
  UF107: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\n', 0o777)],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\n', 0o644)],
  },
  UF108: {
    bad: [file('foo.d/x.cfg', '[Service]\nNice=1\n')],
    good: [file('foo.service.d/x.conf', '[Service]\nNice=1\n')],
  },
  UF109: {
    bad: [
      file('x.service', '[Service]\nExecStart=/bin/true\n'),
      file('x.service.d/a.conf', '[Service]\nExecStart=/bin/false\n'),
    ],
    good: [
      file('x.service', '[Service]\nExecStart=/bin/true\n'),
      file('x.service.d/a.conf', '[Service]\nExecStart=\nExecStart=/bin/false\n'),
    ],
  },
  UF110: {
    bad: [
      file('/usr/lib/systemd/system/x.service.d/10.conf', '[Service]\nNice=1\n'),
      file('/etc/systemd/system/x.service.d/10.conf', '[Service]\nNice=2\n'),
    ],
    good: [
      file('/usr/lib/systemd/system/x.service.d/10.conf', '[Service]\nNice=1\n'),
      file('/etc/systemd/system/x.service.d/20.conf', '[Service]\nNice=2\n'),
    ],
  },
  UF111: {
    bad: [file('x.service', '[Unit]\nDescription=%j\n[Service]\nExecStart=/bin/true\n')],
    good: [file('x.service', '[Unit]\nDescription=%p\n[Service]\nExecStart=/bin/true\n')],
    context: { systemdVersion: 229 },
  },
  UF112: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflict=x\n')],
    good: [file('x.service', '[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=x@*.service\n')],
  },
  UF113: {
    bad: [file('x.service', '[Service]\nExecStart=/bin/true\nEnvironmentFile=/srv/only-here/env\n')],
    good: [
      file(
        'x.service',
        '[Service]\nExecStart=/bin/true\nEnvironmentFile=/srv/only-here/env\n[X-Fleet]\nMachineMetadata=disk=big\n',
      ),
    ],
  },
  UF114: {
    bad: [
      file('a.service', '[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineOf=b.service\n'),
      file('b.service', '[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineOf=a.service\n'),
    ],
    good: [
      file('a.service', '[Service]\nExecStart=/bin/true\n'),
      file(
        'b.service',
        '[Unit]\nBindsTo=a.service\nAfter=a.service\n[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineOf=a.service\n',
      ),
    ],
  },
  UF115: {
    bad: [file('a.service', '[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineOf=b.service\n')],
    good: [
      file(
        'a.service',
        '[Unit]\nBindsTo=b.service\nAfter=b.service\n[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineOf=b.service\n',
      ),
      file('b.service', '[Service]\nExecStart=/bin/true\n'),
    ],
  },
  UF116: {
    bad: [
      file('a.service', '[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=wbe@*.service\n'),
      file('web@.service', '[Service]\nExecStart=/bin/echo %i\n'),
    ],
    good: [
      file('a.service', '[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=web@*.service\n'),
      file('web@.service', '[Service]\nExecStart=/bin/echo %i\n'),
    ],
  },
  UF117: {
    bad: [file('web@.service', '[Service]\nExecStart=/bin/echo %i\n')],
    good: [
      file('web@.service', '[Service]\nExecStart=/bin/echo %i\n'),
      file('all.target', '[Unit]\nWants=web@1.service\n'),
    ],
  },
  UF118: {
    bad: [
      file('log.service', '[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineOf=web.service\n'),
      file('web.service', '[Service]\nExecStart=/bin/true\n'),
    ],
    good: [
      file(
        'log.service',
        '[Unit]\nBindsTo=web.service\nAfter=web.service\n[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineOf=web.service\n',
      ),
      file('web.service', '[Service]\nExecStart=/bin/true\n'),
    ],
  },
}
