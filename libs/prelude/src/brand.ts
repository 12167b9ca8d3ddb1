declare const brand: unique symbol

/**
 * A `Base` that cannot be mixed up with another: `type MachineId = Brand<string, 'MachineId'>`.
 * One parse function per brand holds the only cast.
 */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name }
