/**
 * The catalogue of lint findings: what there is, how bad it is, and whether `systemd-analyze verify` of systemd 252 says
 * it too. Ids are never reused. A bad and a good example of each: examples.ts. Rules: spec/unit-lint.md; UF114 to UF118
 * are about what fleet makes of several units.
 */

/** `error`: refused, ignored or never works. `warning`: likely not what was meant. `info`: style or advice. */
export type LintSeverity = 'error' | 'warning' | 'info'

/** What is known of a finding before any file is read. */
export type CatalogueEntry = {
  readonly id: string
  readonly severity: LintSeverity
  /** What `systemd-analyze verify` does about the same unit: nothing, a line and exit status 0, a line and 1. */
  readonly verify: 'silent' | 'warns' | 'fails'
  readonly title: string
}

const entry = <Id extends string>(
  id: Id,
  code: 'E' | 'E1' | 'E2' | 'W' | 'W1' | 'W2' | 'I' | 'I1',
  title: string,
): CatalogueEntry & { readonly id: Id } => ({
  id,
  severity: code.startsWith('E') ? 'error' : code.startsWith('W') ? 'warning' : 'info',
  verify: code.endsWith('2') ? 'fails' : code.endsWith('1') ? 'warns' : 'silent',
  title,
})

/** Every finding there is, by id. */
export const lintCatalogue = [
  // the grammar of a file
  entry('UF001', 'E2', 'zero-length file: the unit is masked'),
  entry('UF002', 'E2', 'section header not closed or followed by text'),
  entry('UF003', 'E2', 'line is not valid UTF-8'),
  entry('UF004', 'W1', 'line without ='),
  entry('UF005', 'W1', 'assignment before the first section'),
  entry('UF006', 'W1', 'unknown section'),
  entry('UF007', 'W1', 'section of another unit type'),
  entry('UF008', 'W1', 'unknown key (nearest known key is offered)'),
  entry('UF009', 'W1', 'known key in the wrong section'),
  entry('UF010', 'W1', 'key known only to newer systemd than the target'),
  entry('UF011', 'W1', 'backslash followed by spaces at line end'),
  entry('UF012', 'W', 'continuation swallows an assignment or header'),
  entry('UF013', 'W', 'continuation at end of file'),
  entry('UF014', 'W', 'comment inside a continued value: fleet reads it differently'),
  entry('UF015', 'W', 'comment ends in a backslash: fleet drops the next line'),
  entry('UF016', 'W', 'line of 2048 bytes or more: fleet may refuse it'),
  entry('UF017', 'I', 'text after # or ; in a value is part of the value'),
  entry('UF018', 'W1', 'BOM, NUL, lone CR or a Unicode space outside of text'),
  entry('UF019', 'I', 'plain key assigned twice in one file'),
  entry('UF020', 'I', 'quotes around a value that does not use them'),
  // values
  entry('UF021', 'E1', 'boolean not understood'),
  entry('UF022', 'E1', 'time span not understood'),
  entry('UF023', 'W', 'suspicious time unit: M is months, or a bare large number'),
  entry('UF024', 'E1', 'size or percent not understood'),
  entry('UF025', 'E1', 'enum value unknown: the default is used silently'),
  entry('UF026', 'E1', 'signal, mode, nice, limit or weight out of range'),
  entry('UF027', 'E2', 'calendar expression not understood'),
  entry('UF028', 'E1', 'path not absolute or with ..'),
  entry('UF029', 'W1', 'wrong variable assignment'),
  entry('UF030', 'E1', 'unbalanced quote or unknown escape: whole line is lost'),
  entry('UF031', 'E1', 'unknown specifier; literal percent not doubled'),
  entry('UF032', 'W1', 'specifier in a key that does not expand it'),
  entry('UF033', 'W', '%i, %I or %j in a unit that is no template'),
  entry('UF034', 'I1', 'deprecated specifier %c %r %R'),
  entry('UF035', 'W', 'two paths in one EnvironmentFile='),
  entry('UF036', 'W', 'secret-looking value in Environment='),
  entry('UF037', 'W', 'unknown capability, system call or address family'),
  // commands
  entry('UF040', 'E2', 'service without a command'),
  entry('UF041', 'E2', 'several ExecStart= and not oneshot'),
  entry('UF042', 'E2', 'program path is relative'),
  entry('UF043', 'W2', 'program does not exist or is not executable here'),
  entry('UF044', 'E2', 'unbalanced quote in a command'),
  entry('UF045', 'W', 'shell syntax without a shell'),
  entry('UF046', 'W', '$NAME inside a longer word is not expanded'),
  entry('UF047', 'W', '$ for a shell script not doubled'),
  entry('UF048', 'W1', 'unknown escape in a command, $'),
  entry('UF049', 'W', '; glued to a word does not separate'),
  entry('UF050', 'W', 'date +%Y-like percent in a command is taken as specifier'),
  entry('UF051', 'W2', 'variable in the program position'),
  entry('UF052', 'W', 'variable used but set nowhere'),
  entry('UF053', 'I', 'command daemonises or uses nohup, &, screen'),
  entry('UF054', 'W', 'docker or podman client with -d: the unit ends at once'),
  entry('UF055', 'I', 'kill/pkill in ExecStop='),
  // the logic of a service
  entry('UF060', 'E2', 'Type=dbus without BusName='),
  entry('UF061', 'E2', 'Type=oneshot with Restart=always or on-success'),
  entry('UF062', 'W', 'Type=forking without PIDFile='),
  entry('UF063', 'W1', 'KillMode=none or process'),
  entry('UF064', 'W1', 'deprecated or renamed key'),
  entry('UF065', 'I', 'StartLimit…= in [Service]'),
  entry('UF066', 'W', 'restart storm: Restart=always and start limit switched off with tiny RestartSec'),
  entry('UF067', 'I', 'long-running service without Restart='),
  entry('UF068', 'W', 'start limit can never be hit (RestartSec × Burst > Interval)'),
  entry('UF069', 'I', 'runs as root without any sandboxing'),
  entry('UF070', 'I', '[Install] has no meaning for fleet'),
  entry('UF071', 'W', 'template without %i or with WantedBy= and no DefaultInstance='),
  entry('UF072', 'W', 'PIDFile= below /var/run'),
  entry('UF073', 'I1', 'StandardOutput=syslog'),
  // dependencies
  entry('UF080', 'E1', 'name without or with unknown suffix in a dependency'),
  entry('UF081', 'E1', 'quotes or commas in a dependency list'),
  entry('UF082', 'W', 'Requires=/BindsTo= without After='),
  entry('UF083', 'W', 'Wants=network-online.target without After=, or After= without Wants='),
  entry('UF084', 'I', 'After=network.target although the network is needed'),
  entry('UF085', 'E1', 'unit depends on itself'),
  entry('UF086', 'E', 'order cycle between the given units'),
  entry('UF087', 'W', 'wanted and conflicting at once'),
  entry('UF088', 'W', 'empty dependency assignment resets nothing'),
  entry('UF089', 'W2', 'dependency on a unit that does not exist'),
  entry('UF090', 'W', 'multi-user or graphical target in After= of a unit it pulls in'),
  // other types, names, drop-ins, the view of a fleet
  entry('UF100', 'E2', 'socket without Listen…='),
  entry('UF101', 'E2', 'timer without a trigger'),
  entry('UF102', 'E', 'socket, timer or path without a service to trigger'),
  entry('UF103', 'E2', 'mount unit whose Where= is not its name'),
  entry('UF104', 'W', 'Persistent= without OnCalendar='),
  entry('UF105', 'W2', 'Accept=yes socket and no template service'),
  entry('UF106', 'E2', 'unit name has characters that are not allowed or is too long'),
  entry('UF107', 'W', 'file is executable, world-writable or unreadable'),
  entry('UF108', 'W', 'drop-in for a unit or name level that cannot exist; not *.conf'),
  entry('UF109', 'W', 'drop-in adds ExecStart= without reset'),
  entry('UF110', 'W', 'drop-in is hidden by one of the same name higher up'),
  entry('UF111', 'W', 'unit uses specifiers that the oldest machine does not know'),
  entry('UF112', 'E', 'unknown or contradicting [X-Fleet] option'),
  entry('UF113', 'W', 'unit needs a path of one machine but is not pinned'),
  // several units of a fleet
  entry('UF114', 'E', 'MachineOf= leads in a circle: none of the units is ever placed'),
  entry('UF115', 'W', 'MachineOf= names a unit that does not exist'),
  entry('UF116', 'W', 'Conflicts= or Replaces= matches no unit'),
  entry('UF117', 'I', 'template of which no instance is asked for'),
  entry('UF118', 'W', 'sidekick by MachineOf= that is not bound to its main unit'),
] as const

/** The name of a kind of finding. */
export type LintId = (typeof lintCatalogue)[number]['id']

const entries: ReadonlyMap<string, CatalogueEntry & { readonly id: LintId }> = new Map(
  lintCatalogue.map((known) => [known.id, known]),
)

/** The entry of an id; absent where there is none. */
export const catalogueEntry = (id: string): (CatalogueEntry & { readonly id: LintId }) | undefined => entries.get(id)
