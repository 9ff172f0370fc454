/** True when two types are the same, not only assignable to each other. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** `holds<Equal<A, B>>()` compiles only when the claim is true. Never called: these files are checked, not run. */
export declare function holds<_Claim extends true>(): void;
