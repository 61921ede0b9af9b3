/** What dist/ is made of, as paths relative to the repository. */
export function inputFiles(): string[];

/** Brings dist/ up to date; returns false when the sources do not compile, or have type errors. */
export function build(options?: { types?: boolean }): Promise<boolean>;
