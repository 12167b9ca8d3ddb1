import type { Flannel, FlannelOptions } from './options.ts'

/** The overlay of this machine in one network. Nothing happens before `run`. */
export declare function createFlannel(options: FlannelOptions): Flannel
