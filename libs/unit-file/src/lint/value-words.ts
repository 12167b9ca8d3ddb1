/** Words that keys take, for advice. */
import type { OptionType } from '../known-options.ts'
import { enumerationWords } from '../read-choice-value.ts'

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '')

const byType: Readonly<Partial<Record<OptionType, readonly string[]>>> = {
  'log level': words('emerg alert crit err warning notice info debug'),
  output: words('inherit null tty journal kmsg journal+console kmsg+console socket'),
  input: words('null tty tty-force tty-fail socket data'),
}

/** The words that a key takes, where they are few; absent where they are not known. */
export const choicesOf = (type: OptionType, key: string): readonly string[] | undefined =>
  byType[type] ?? enumerationWords(key)

/** Names of capabilities as of Linux 5.9, which systemd 252 knows, in lower case. */
export const capabilityNames: ReadonlySet<string> = new Set(
  words(
    `chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service
     net_broadcast net_admin net_raw ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin
     sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease audit_write audit_control setfcap mac_override
     mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore`,
  ).map((name) => `cap_${name}`),
)
