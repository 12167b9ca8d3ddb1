/** The filter's half of the kernel port: which packet filter, what is in it, and one transaction to make it right. */
import { isClusterError } from '@cluster/prelude'
import { LinuxNetError, type LinuxNetErrorCode, permissionHint } from './errors.ts'
import { type ProgramHost, runProgram } from './run-program.ts'
import {
  type FilterMode,
  filterNames,
  filterPlan,
  iptablesLinesOf,
  type ObservedFilter,
  type OverlayFilter,
  usesIptables,
} from './state/filter.ts'
import type { KernelFilter } from './state/kernel.ts'

/** The filter of this machine. */
export function openFilter(host: ProgramHost & { readonly filterMode?: FilterMode }): KernelFilter {
  return new SystemFilter(host)
}

class SystemFilter implements KernelFilter {
  readonly #host: ProgramHost
  #mode: FilterMode | undefined
  #detection: Promise<FilterMode> | undefined
  /** Networks whose rules in the other packet filter have been taken away, left by a run in the other mode. */
  readonly #tidied = new Set<string>()
  /** What nft made of our words, by our words: some versions print them in their own way. */
  readonly #printed = new Map<string, readonly string[]>()

  constructor(host: ProgramHost & { readonly filterMode?: FilterMode }) {
    this.#host = host
    this.#mode = host.filterMode
  }

  async mode(signal?: AbortSignal): Promise<FilterMode> {
    if (this.#mode !== undefined) return this.#mode
    this.#detection ??= this.#detect(signal).finally(() => {
      this.#detection = undefined
    })
    this.#mode = await this.#detection
    return this.#mode
  }

  async observe(network: string, signal?: AbortSignal): Promise<ObservedFilter> {
    const mode = await this.mode(signal)
    return {
      mode,
      lines: mode === 'nft' ? await this.#nftLines(network, signal) : await this.#iptablesLines(network, signal),
    }
  }

  async sync(filter: OverlayFilter, signal?: AbortSignal): Promise<readonly string[]> {
    const mode = await this.mode(signal)
    if (!this.#tidied.has(filter.network)) {
      await this.#removeFrom(mode === 'nft' ? 'iptables' : 'nft', filter.network, signal)
      this.#tidied.add(filter.network)
    }
    const observed = await this.observe(filter.network, signal)
    const { differences, script } = filterPlan(filter, observed)
    if (differences.length === 0 || this.#printed.get(script)?.join('\n') === observed.lines.join('\n')) return []
    await this.#load(mode, filter.network, script, signal)
    if (mode === 'nft') this.#printed.set(script, await this.#nftLines(filter.network, signal))
    return differences
  }

  async remove(network: string, signal?: AbortSignal): Promise<void> {
    await this.#removeFrom('nft', network, signal)
    await this.#removeFrom('iptables', network, signal)
  }

  async #removeFrom(mode: FilterMode, network: string, signal: AbortSignal | undefined): Promise<void> {
    const listing = mode === 'nft' ? this.#nftLines(network, signal) : this.#iptablesLines(network, signal)
    const lines = await (mode === this.#mode ? unlessMissing(listing) : ifUsable(listing))
    if (lines === undefined || lines.length === 0) return
    const nothing = { network, subnet: network, masquerade: false, forward: false }
    await this.#load(mode, network, filterPlan(nothing, { mode, lines }).script, signal)
  }

  async #detect(signal: AbortSignal | undefined): Promise<FilterMode> {
    const saved = await ifUsable(this.#save('ip', signal))
    if (saved !== undefined && usesIptables(saved)) return 'iptables'
    if ((await ifUsable(this.#run(['nft', 'list', 'tables'], { signal }))) !== undefined) return 'nft'
    if (saved !== undefined) return 'iptables'
    throw new LinuxNetError('linux-net/program-missing', 'neither nft nor iptables is there and works', {
      hint: 'install the package nftables, or run without --ip-masq and forward rules',
    })
  }

  async #nftLines(network: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
    const { family, table } = filterNames(network)
    const { status, stdout, stderr } = await runProgram(['nft', 'list', 'table', family, table], this.#host, { signal })
    if (status !== 0 && /no such file or directory/i.test(stderr)) return []
    if (status !== 0) throw filterError('nft list table', stderr)
    return stdout
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
  }

  async #iptablesLines(network: string, signal: AbortSignal | undefined): Promise<readonly string[]> {
    return iptablesLinesOf(await this.#save(filterNames(network).family, signal), network)
  }

  /** The save program reads the tables that exist; `iptables -S` would make them. */
  #save(family: 'ip' | 'ip6', signal: AbortSignal | undefined): Promise<string> {
    return this.#run([`${family}tables-save`], { signal })
  }

  async #load(mode: FilterMode, network: string, script: string, signal: AbortSignal | undefined): Promise<void> {
    const { family } = filterNames(network)
    const words = mode === 'nft' ? ['nft', '-f', '-'] : [`${family}tables-restore`, '--noflush', '--wait', '5']
    await this.#run(words, { input: script, signal })
  }

  async #run(
    words: readonly string[],
    options: { readonly input?: string; readonly signal: AbortSignal | undefined },
  ): Promise<string> {
    const { status, stdout, stderr } = await runProgram(words, this.#host, options)
    if (status !== 0) throw filterError(words.join(' '), stderr)
    return stdout
  }
}

/** What a packet filter says, or `undefined` where its program is not installed. */
const unlessMissing = <Value>(answer: Promise<Value>): Promise<Value | undefined> =>
  unless(answer, ['linux-net/program-missing'])

/** What a packet filter says, or `undefined` where its program is not installed or the kernel does not have it. */
const ifUsable = <Value>(answer: Promise<Value>): Promise<Value | undefined> =>
  unless(answer, ['linux-net/program-missing', 'linux-net/filter'])

async function unless<Value>(answer: Promise<Value>, codes: readonly LinuxNetErrorCode[]): Promise<Value | undefined> {
  try {
    return await answer
  } catch (error) {
    if (codes.some((code) => isClusterError(error, code))) return undefined
    throw error
  }
}

function filterError(what: string, stderr: string): LinuxNetError {
  if (/operation not permitted|permission denied|must be root/i.test(stderr)) {
    return new LinuxNetError('linux-net/no-permission', `${what}: ${stderr.trim()}`, { hint: permissionHint })
  }
  return new LinuxNetError('linux-net/filter', `${what}: ${stderr.trim()}`, {
    hint: 'the kernel may lack nf_tables, or the modules for masquerading: modprobe nf_tables nft_masq, or choose the other packet filter',
  })
}
