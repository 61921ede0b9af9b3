/**
 * Mutants that are no bugs: the argument why no execution can show them. The score leaves them out.
 * An entry that no mutant has any more fails a test.
 */
export const EQUIVALENTS: Readonly<Record<string, string>> = {};
